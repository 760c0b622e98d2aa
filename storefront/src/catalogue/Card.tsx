import { Plural, Trans } from "@lingui/react/macro";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { type Card as CardData, productQuery } from "../api/queries";
import { money } from "../i18n/format";
import { Picture } from "../ui/Picture";
import { Stars } from "../ui/parts";
import { productPath } from "./categories";

/** So few that it is said. */
export const FEW = 3;

/** One product in a list: its picture, what it costs, what it is. */
export function Card({ product, eager = false }: { product: CardData; eager?: boolean }) {
  const client = useQueryClient();
  const { available } = product;
  const ask = () => void client.prefetchQuery(productQuery(product.id));
  return (
    <li className={product.soldout ? "card over" : "card"}>
      <Picture src={product.thumbnail} eager={eager} />
      <span className="money price">{money(product.price)}</span>
      <p className="name">
        <Link to={productPath(product)} onPointerDown={ask}>
          {product.name}
        </Link>
      </p>
      <span className="below">
        <Stars stars={product.stars} reviews={product.reviews} />
        {!product.soldout && available <= FEW && (
          <span className="few">
            <Plural value={available} one="Only # left" other="Only # left" />
          </span>
        )}
      </span>
      {product.soldout && (
        <span className="tag flag">
          <Trans>Sold out</Trans>
        </span>
      )}
    </li>
  );
}

/** Where cards will be; as large as they are, so that nothing jumps. */
export function CardBones({ count, className }: { count: number; className: string }) {
  return (
    <ul className={className} aria-hidden="true">
      {Array.from({ length: count }, (_, at) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <li className="card" key={at}>
          <div className="picture skeleton" />
          <span className="price skeleton">&nbsp;</span>
          <span className="name skeleton" />
          <span className="below" />
        </li>
      ))}
    </ul>
  );
}
