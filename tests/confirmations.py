"""Confirm payments as soon as they are reported, for tests about something else."""

from payments import evidence
from payments.evidence import SourceReport
from payments.models import Provider, Receipt, ReceiptSource


def confirmed_by_statement(monkeypatch) -> None:
    """Have M-Pesa's statement, or staff for a bank, confirm each payment as reported."""
    record_first, record = evidence.record_first, evidence.record

    def first(receipt: Receipt, told: SourceReport) -> None:
        record_first(receipt, told)
        confirm(receipt, told)

    def later(receipt: Receipt, told: SourceReport) -> None:
        record(receipt, told)
        confirm(receipt, told)

    def confirm(receipt: Receipt, told: SourceReport) -> None:
        mpesa = receipt.provider == Provider.MPESA
        for source in (ReceiptSource.STATEMENT, ReceiptSource.STATUS) if mpesa else ("staff",):
            record(receipt, SourceReport(source, told.amount, receipt.number or told.number))

    monkeypatch.setattr(evidence, "record_first", first)
    monkeypatch.setattr(evidence, "record", later)
