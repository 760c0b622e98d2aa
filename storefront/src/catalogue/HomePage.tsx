import { Trans, useLingui } from "@lingui/react/macro";
import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";
import type { Category } from "../api/client";
import { type Card as CardData, homeQuery } from "../api/queries";
import { Title } from "../app/Title";
import { Empty, Problem, useSeen } from "../ui/parts";
import { Card, CardSkeletons } from "./Card";
import { CategoryLinks } from "./CategoryLinks";
import { CategoryTiles } from "./CategoryTiles";
import { CATEGORIES, SHELVES } from "./categories";

/** How many products a shelf shows (as in products/shop/pages.py). */
const PER_SHELF = 8;

export default function HomePage() {
  const home = useQuery(homeQuery);
  const { t } = useLingui();
  const shelves = SHELVES.map(
    ([key, category]) => [category, (home.data?.[key] ?? []).slice(0, PER_SHELF)] as const,
  ).filter(([, products]) => products.length > 0);
  return (
    <>
      <Title text={t`O-Mache: shop from Kenyan sellers, pay with M-Pesa`} plain />
      <section className="welcome">
        <h1>
          <Trans>What do you need today?</Trans>
        </h1>
        <p>
          <Trans>From sellers across Kenya. Pay with M-Pesa and track it to your door.</Trans>
        </p>
      </section>
      <CategoryLinks />
      {home.isError && <Problem error={home.error} again={() => void home.refetch()} />}
      {home.isPending && <CardSkeletons count={8} className="rail shelf" />}
      {home.isSuccess && shelves.length === 0 && <Empty title={<Trans>No products yet</Trans>} />}
      {shelves.map(([category, products], at) => (
        <Shelf key={category} category={category} products={products} first={at === 0} />
      ))}
      {home.isSuccess && <AllCategories />}
    </>
  );
}

/** All categories; their pictures are loaded when the user has scrolled near them. */
function AllCategories() {
  const [ref, seen] = useSeen<HTMLElement>("100px");
  return (
    <section className="shelf" ref={ref}>
      <h2>
        <Trans>All categories</Trans>
      </h2>
      <CategoryTiles isSeen={seen} />
    </section>
  );
}

function Shelf({
  category,
  products,
  first,
}: {
  category: Category;
  products: CardData[];
  first: boolean;
}) {
  const { i18n } = useLingui();
  const [ref, seen] = useSeen<HTMLElement>("400px");
  const name = i18n._(CATEGORIES[category]);
  return (
    <section className="shelf" ref={ref} aria-labelledby={`shelf-${category}`}>
      <div className="between">
        <h2 id={`shelf-${category}`}>{name}</h2>
        <Link to={`/category/${category}`}>
          <Trans>
            See all<span className="hidden"> {name}</span>
          </Trans>
        </Link>
      </div>
      {first || seen ? (
        <ul className="rail">
          {products.map((product, at) => (
            <Card key={product.id} product={product} eager={first && at < 4} />
          ))}
        </ul>
      ) : (
        <CardSkeletons count={products.length} className="rail" />
      )}
    </section>
  );
}
