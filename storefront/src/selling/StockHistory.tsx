import { Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useState } from "react";
import { dayAndClock } from "../i18n/format";
import { STOCK_MOVE } from "./labels";
import { Pages } from "./parts";
import { stockQuery } from "./queries";

/** All changes of a listing's stock; loaded when it is opened. */
export function StockHistory({ id }: { id: number }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details className="story" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>
        <Trans>Stock history</Trans>
      </summary>
      {isOpen && <LineActions id={id} />}
    </details>
  );
}

function LineActions({ id }: { id: number }) {
  const { i18n } = useLingui();
  const list = useInfiniteQuery({ ...stockQuery(id), staleTime: 0 });
  return (
    <Pages
      of={list}
      empty={null}
      row={(move) => (
        <li key={move.id} className="between movement">
          <span>
            {i18n._(STOCK_MOVE[move.kind])}
            {move.note && <>: {move.note}</>}
            <br />
            <span className="quiet small">
              {dayAndClock(move.created_at)}
              {move.by && <> · {move.by}</>}
            </span>
          </span>
          <strong className="money">{move.number > 0 ? `+${move.number}` : move.number}</strong>
        </li>
      )}
    />
  );
}
