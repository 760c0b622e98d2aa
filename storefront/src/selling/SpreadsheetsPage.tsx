import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { dataOf, type Schemas, userApi } from "../api/client";
import { ApiError, fieldError, NoAnswer } from "../api/errors";
import { newKey } from "../api/keys";
import { Problem } from "../ui/parts";
import { saveFile } from "../ui/saveFile";
import { ROW_STATUS } from "./labels";
import { Offline, Selling } from "./parts";
import { useOnline } from "./useOnline";

type Report = Schemas["ImportOutput"];
type Row = Schemas["RowOutput"];

/** A template file: the columns, and one example row. */
const TEMPLATE =
  "name,category,price,item_number,payment_mpesa_number,sku,description,listed\r\n" +
  '"Kettle, 1.7 litres",kitchen,1500,5,0712345678,KET-17,Boils in four minutes.,true\r\n';

/** How many rows of a report are shown at first: a thousand would be slow on a phone. */
const SHOWN = 50;

/** Export all listings as a spreadsheet, and import changes. */
export default function SpreadsheetsPage() {
  const { t } = useLingui();
  return (
    <Selling name={t`Spreadsheets`}>
      <Download />
      <Upload />
    </Selling>
  );
}

function Download() {
  const isOnline = useOnline();
  const ask = useMutation({
    mutationFn: () => dataOf(userApi.POST("/seller/products/export/")),
    // A plain download link, which also works on old phones.
    onSuccess: ({ url }) => location.assign(url),
  });
  return (
    <section className="panel stack">
      <h2>
        <Trans>Download a spreadsheet</Trans>
      </h2>
      <p>
        <Trans>
          Open it in Excel, LibreOffice or Google Sheets. Change prices, or enter new stock in the
          “restock” column, then upload it below.
        </Trans>
      </p>
      {ask.error && <Problem error={ask.error} />}
      <p className="row">
        <button
          type="button"
          className="button"
          disabled={ask.isPending || !isOnline}
          onClick={() => ask.mutate()}
        >
          {ask.isPending ? <Trans>Please wait…</Trans> : <Trans>Download listings</Trans>}
        </button>
        <button
          type="button"
          className="button plain"
          onClick={() => saveFile("template.csv", new Blob([TEMPLATE], { type: "text/csv" }))}
        >
          <Trans>Empty template</Trans>
        </button>
      </p>
      <p role="status" className="quiet small">
        {ask.isSuccess && (
          <Trans>Your download is starting. If it does not start within a minute, try again.</Trans>
        )}
      </p>
    </section>
  );
}

/** Import a file. It is checked first: nothing is saved before the seller has seen the report. */
function Upload() {
  const { t } = useLingui();
  const client = useQueryClient();
  const isOnline = useOnline();
  const [file, setFile] = useState<File | null>(null);
  // One key per file: sent again after a lost response, it counts once.
  const [key, setKey] = useState(newKey);
  const report = useRef<HTMLElement>(null);
  const send = useMutation({
    mutationFn: async ({ sheet, check }: { sheet: File; check: boolean }): Promise<Report> => {
      const form = new FormData();
      form.set("file", sheet, sheet.name);
      return dataOf(
        userApi.POST("/seller/products/import/", {
          params: { query: { check }, header: { "Idempotency-Key": key } },
          body: form as never,
          bodySerializer: (it) => it,
        }),
      );
    },
    onSettled: (_, error, { check }) => {
      if (!check && !(error instanceof ApiError && error.status === 400)) {
        void client.invalidateQueries({ queryKey: ["selling"] });
      }
    },
  });
  const checked = send.data?.check ? send.data : null;
  const changesSomething = checked !== null && changesOf(checked.totals) > 0;
  const saved = send.data && !send.data.check ? send.data : null;
  useEffect(() => {
    if (send.data) report.current?.focus();
  }, [send.data]);
  const wrong = fieldError(send.error, "file");
  const isLost = send.error instanceof NoAnswer && send.variables?.check === false;
  return (
    <section className="panel stack">
      <h2>
        <Trans>Upload a spreadsheet</Trans>
      </h2>
      <p className="quiet">
        <Trans>
          CSV, up to 1,000 rows. A row with one of your ids or skus updates that listing; any other
          row adds a new one.
        </Trans>
      </p>
      <div className="field">
        <label className="button plain pick">
          {file ? <Trans>Choose another file</Trans> : <Trans>Choose a file</Trans>}
          <input
            className="hidden"
            type="file"
            accept=".csv,.txt,text/csv,text/plain"
            aria-describedby="file-about"
            onChange={(event) => {
              const chosen = event.target.files?.[0];
              if (!chosen) return;
              event.target.value = "";
              setFile(chosen);
              setKey(newKey());
              send.reset();
            }}
          />
        </label>
        <div id="file-about" role="status">
          {file && <p className="file-name">{file.name}</p>}
          {wrong && <span className="error">{wrong}</span>}
        </div>
      </div>
      <Offline />
      {isLost && (
        <p className="notice warn">
          <Trans>We could not reach the shop. Send it again: nothing will be saved twice.</Trans>
        </p>
      )}
      {send.error && !wrong && !isLost && <Problem error={send.error} />}
      {file && !saved && (
        <p className="row">
          <button
            type="button"
            className={checked ? "button plain" : "button"}
            disabled={send.isPending || !isOnline}
            onClick={() => send.mutate({ sheet: file, check: true })}
          >
            {send.isPending && send.variables.check ? (
              <Trans>Please wait…</Trans>
            ) : checked ? (
              <Trans>Check again</Trans>
            ) : (
              <Trans>Check file</Trans>
            )}
          </button>
          {(changesSomething || isLost || (send.isPending && !send.variables.check)) && (
            <button
              type="button"
              className="button"
              disabled={send.isPending || !isOnline}
              onClick={() => send.mutate({ sheet: file, check: false })}
            >
              {send.isPending ? <Trans>Please wait…</Trans> : <Trans>Save changes</Trans>}
            </button>
          )}
        </p>
      )}
      {send.data && (
        <section ref={report} tabIndex={-1} aria-label={t`Results`} className="stack">
          <Totals report={send.data} />
          <Rows report={send.data} />
        </section>
      )}
    </section>
  );
}

/** How many listings a file adds or changes. */
function changesOf({ created, updated }: Report["totals"]): number {
  return created + updated;
}

function Totals({ report: { check, totals } }: { report: Report }) {
  return (
    <div className={totals.failed ? "notice warn" : "notice ok"}>
      <p>
        <strong>
          {check && changesOf(totals) === 0 ? (
            <Trans>This file would change nothing:</Trans>
          ) : check ? (
            <Trans>Nothing has changed yet. The file will make these changes:</Trans>
          ) : (
            <Trans>Done. Results:</Trans>
          )}
        </strong>
      </p>
      <p className="stock-line">
        <span>
          <Plural value={totals.created} one="# new" other="# new" />
        </span>
        <span>
          <Plural value={totals.updated} one="# changed" other="# changed" />
        </span>
        <span>
          <Plural value={totals.unchanged} one="# unchanged" other="# unchanged" />
        </span>
        <span>
          <Plural value={totals.failed} one="# rejected" other="# rejected" />
        </span>
      </p>
    </div>
  );
}

/** The report by row, refused rows first. */
function Rows({ report }: { report: Report }) {
  const [isAll, setAll] = useState(false);
  const weight = (row: Row) =>
    row.status === "failed" ? 0 : Object.keys(row.notes).length ? 1 : 2;
  const rows = [...report.rows].sort((a, b) => weight(a) - weight(b) || a.row - b.row);
  const hidden = rows.length - SHOWN;
  return (
    <>
      <ul className="report">
        {(isAll ? rows : rows.slice(0, SHOWN)).map((row) => (
          <RowOf key={row.row} row={row} />
        ))}
      </ul>
      {!isAll && hidden > 0 && (
        <button type="button" className="button plain little" onClick={() => setAll(true)}>
          <Plural value={hidden} one="Show # more row" other="Show # more rows" />
        </button>
      )}
    </>
  );
}

const TONES: Partial<Record<Row["status"], string>> = {
  created: "ok",
  updated: "ok",
  failed: "bad",
};

function RowOf({ row }: { row: Row }) {
  const { i18n } = useLingui();
  const number = row.row;
  const said = (about: Record<string, string[]>, tone: string) =>
    Object.entries(about).map(([column, sentences]) => (
      <p key={column} className={tone}>
        {column !== "row" && <code>{column}</code>} {sentences.join(" ")}
      </p>
    ));
  return (
    <li>
      <p className="row">
        <strong>
          <Trans>Row {number}</Trans>
        </strong>
        <span className={`tag ${TONES[row.status] ?? ""}`}>{i18n._(ROW_STATUS[row.status])}</span>
      </p>
      {said(row.errors, "wrong")}
      {said(row.notes, "quiet")}
    </li>
  );
}
