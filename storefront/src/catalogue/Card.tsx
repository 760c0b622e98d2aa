import { Plural, Trans } from "@lingui/react/macro";
import { useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";
import { type Card as CardData, productQuery } from "../api/queries";
import { money } from "../i18n/format";
import { Picture } from "../ui/Picture";
import { Stars } from "../ui/parts";
import { productPath } from "./categories";

/** At most how many left are mentioned (as in products/shop/pages.py). */
export const LOW_STOCK = 3;

/** One product in a list: picture, price, name. */
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
        {!product.soldout && available <= LOW_STOCK && (
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

/** Placeholders for cards that are being loaded; of the same size, so that nothing moves. */
export function CardSkeletons({ count, className }: { count: number; className: string }) {
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
