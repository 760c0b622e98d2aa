import { Trans, useLingui } from "@lingui/react/macro";
import type { Schemas } from "../api/client";
import { money } from "../i18n/format";
import { CopyButton } from "../ui/parts";

/** How to pay without the prompt (pay bill, bank): what to type, with buttons that copy it. */
export function ByHand({
  ways,
  isOpen = false,
}: {
  ways: Schemas["ByHandOutput"][];
  /** Shown expanded, because it is what helps most now. */
  isOpen?: boolean;
}) {
  return (
    <details className="panel" open={isOpen || undefined}>
      <summary>
        <strong>
          <Trans>Pay manually instead</Trans>
        </strong>
      </summary>
      {ways.map((way) => (
        <Way key={way.provider} way={way} />
      ))}
      <p className="quiet small">
        <Trans>This page updates as soon as your payment arrives.</Trans>
      </p>
    </details>
  );
}

function Way({ way }: { way: Schemas["ByHandOutput"] }) {
  const { t } = useLingui();
  const provider = way.provider;
  const rows: [label: string, shown: string, copied: string][] = [
    [t`Paybill number`, way.pay_bill, way.pay_bill],
    [t`Account number`, way.account, way.account],
    [t`Amount`, money(way.amount), String(way.amount)],
  ];
  return (
    <section className="way">
      <h2>{provider}</h2>
      <dl className="by-hand">
        {rows.map(([label, shown, copied]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd className="value" translate="no">
              {shown}
            </dd>
            <dd className="copy">
              <CopyButton text={copied} of={`${label}, ${provider}`} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
