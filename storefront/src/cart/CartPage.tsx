import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import { cartQuery } from "../api/queries";
import { Title } from "../app/Title";
import { productPath } from "../catalogue/categories";
import { money } from "../i18n/format";
import { Picture } from "../ui/Picture";
import { Money, Problem, Stepper } from "../ui/parts";
import { MOST_OF_ONE } from "./cart";
import { type CheckedLine, canOrder, checkLines, MOST_AT_ONCE, totalOf } from "./checkLines";
import { EmptyCart } from "./EmptyCart";
import { useCart } from "./useCart";

export default function CartPage() {
  const { t } = useLingui();
  const cart = useCart();
  const query = useQuery(cartQuery(cart.lines.map((line) => line.id)));
  if (cart.lines.length === 0) {
    return (
      <>
        <Title text={t`Cart`} />
        <h1 className="hidden">{t`Cart`}</h1>
        <EmptyCart>
          <p className="quiet">
            <Trans>Items you add stay here even if you close the browser.</Trans>
          </p>
        </EmptyCart>
      </>
    );
  }
  const lines = query.data ? checkLines(cart.lines, query.data) : [];
  return (
    <>
      <Title text={t`Cart`} />
      <h1>{t`Cart`}</h1>
      {query.isError && <Problem error={query.error} again={() => void query.refetch()} />}
      <div className="two">
        <ul>
          {query.data
            ? lines.map((line) => <Line key={line.id} line={line} />)
            : cart.lines.map((line) => <Unchecked key={line.id} line={line} />)}
        </ul>
        {query.data && <Sum lines={lines} isOld={query.isError} />}
      </div>
    </>
  );
}

function Unchecked({ line }: { line: { name: string; number: number; thumbnail: string | null } }) {
  return (
    <li className="line">
      <Picture src={line.thumbnail} />
      <span className="name">{line.name}</span>
      <span className="quiet">× {line.number}</span>
    </li>
  );
}

function Line({ line }: { line: CheckedLine }) {
  const { t } = useLingui();
  const cart = useCart();
  const { id, name, state, left } = line;
  const priceBefore = money(line.price);
  const priceNow = money(line.product?.price ?? 0);
  return (
    <li className="line">
      <Picture src={line.product?.thumbnail ?? line.thumbnail} />
      <span className="name">
        {line.product ? <Link to={productPath(line)}>{line.product.name}</Link> : name}
      </span>
      <div className="row">
        {line.product && <Money kes={line.product.price * line.number} />}
        {line.product && line.number > 1 && (
          <span className="quiet small">
            <Trans>{priceNow} each</Trans>
          </span>
        )}
      </div>
      {state === "price" && (
        <p className="notice warn row">
          <Trans>
            The price has changed from {priceBefore} to {priceNow}.
          </Trans>
          <button
            type="button"
            className="as-link"
            onClick={() => cart.setPrice(id, line.product?.price ?? 0)}
          >
            <Trans>OK</Trans>
          </button>
        </p>
      )}
      {state === "short" && (
        <p className="notice warn row">
          <Plural value={left} one="Only # left." other="Only # left." />
          <button type="button" className="as-link" onClick={() => cart.setNumber(id, left)}>
            <Plural value={left} one="Change to #" other="Change to #" />
          </button>
        </p>
      )}
      {state === "soldout" && (
        <p className="notice warn">
          <Trans>Sold out.</Trans>
        </p>
      )}
      {state === "gone" && (
        <p className="notice warn">
          <Trans>No longer available.</Trans>
        </p>
      )}
      <div className="between">
        {state === "fine" || state === "price" || state === "short" ? (
          <Stepper
            value={line.number}
            most={Math.min(MOST_OF_ONE, Math.max(left, line.number))}
            label={t`Quantity of ${name}`}
            change={(to) => cart.setNumber(id, to)}
          />
        ) : (
          <span />
        )}
        <button
          type="button"
          className="as-link"
          onClick={() => cart.remove(id)}
          aria-label={t`Remove ${name}`}
        >
          <Trans>Remove</Trans>
        </button>
      </div>
    </li>
  );
}

function Sum({ lines, isOld }: { lines: CheckedLine[]; isOld: boolean }) {
  const total = totalOf(lines);
  const most = money(MOST_AT_ONCE);
  const fits = canOrder(lines) && !isOld;
  return (
    <aside className="panel sum">
      <p className="between total">
        <Trans>Total</Trans>
        <Money kes={total} />
      </p>
      {total > MOST_AT_ONCE && (
        <p className="notice warn">
          <Trans>M-Pesa allows up to {most} per payment. Split this into two orders.</Trans>
        </p>
      )}
      {fits ? (
        <Link className="button wide" to="/checkout">
          <Trans>Checkout</Trans>
        </Link>
      ) : (
        <>
          <button type="button" className="button wide" disabled>
            <Trans>Checkout</Trans>
          </button>
          {total <= MOST_AT_ONCE && (
            <p className="quiet small">
              {isOld ? (
                <Trans>You can check out once your cart has loaded.</Trans>
              ) : (
                <Trans>Change or remove unavailable items to check out.</Trans>
              )}
            </p>
          )}
        </>
      )}
    </aside>
  );
}
