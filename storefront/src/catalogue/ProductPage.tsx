import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { type InfiniteData, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams } from "react-router";
import { useUser } from "../account/useUser";
import type { Page } from "../api/boot";
import type { ProductDetail } from "../api/client";
import { ApiError } from "../api/errors";
import { type Card, homeQuery, productQuery } from "../api/queries";
import { NotFound } from "../app/NotFound";
import { Title } from "../app/Title";
import { MOST_OF_ONE } from "../cart/cart";
import { useCart } from "../cart/useCart";
import { money } from "../i18n/format";
import { Icon } from "../ui/Icon";
import { Problem, Stars, Stepper } from "../ui/parts";
import { LOW_STOCK } from "./Card";
import { CATEGORIES, productPath } from "./categories";
import { Gallery } from "./Gallery";
import { Reviews } from "./Reviews";

export default function ProductPage() {
  const id = Number.parseInt(useParams().product ?? "", 10);
  return id > 0 ? <Known id={id} /> : <NotFound />;
}

function Known({ id }: { id: number }) {
  const client = useQueryClient();
  const user = useUser();
  const { t } = useLingui();
  const query = useQuery({ ...productQuery(id), placeholderData: () => fromAList(client, id) });
  if (query.error instanceof ApiError && query.error.status === 404) {
    return (
      <NotFound title={t`This product is no longer available`}>
        <Trans>The seller removed it, or the link is wrong.</Trans>
        {user && (
          <>
            {" "}
            <Link to={`/selling/listings/${id}`}>
              <Trans>Is it yours? See it in your listings</Trans>
            </Link>
          </>
        )}
      </NotFound>
    );
  }
  const problem = query.isError && (
    <Problem error={query.error} again={() => void query.refetch()} />
  );
  if (!query.data) return problem || <Skeleton />;
  return (
    <>
      {problem}
      <Shown product={query.data} isWhole={!query.isPlaceholderData} />
    </>
  );
}

/** The product as far as a list in the cache shows it, to render while the rest is loaded. */
function fromAList(
  client: ReturnType<typeof useQueryClient>,
  id: number,
): ProductDetail | undefined {
  const lists = client.getQueriesData<InfiniteData<Page<Card>>>({
    predicate: (query) => ["category", "search"].includes(String(query.queryKey[0])),
  });
  const home = client.getQueryData(homeQuery.queryKey) ?? {};
  const pages = lists.flatMap(([, data]) => data?.pages.map((page) => page.items) ?? []);
  for (const cards of [...Object.values(home), ...pages]) {
    const card = cards.find((each) => each.id === id);
    if (card) {
      return {
        ...card,
        image: null,
        pictures: [],
        description: "",
        item_number: card.available,
        back_within: null,
        created_at: "",
      };
    }
  }
  return undefined;
}

function Shown({ product, isWhole }: { product: ProductDetail; isWhole: boolean }) {
  const { i18n } = useLingui();
  const seller = product.user_name;
  return (
    <>
      <Title text={product.name} />
      <article className="product">
        <Gallery product={product} />
        <div>
          <h1 className="name">{product.name}</h1>
          <span className="money price">{money(product.price)}</span>
          <p className="meta">
            <Stars stars={product.stars} reviews={product.reviews} />
            <span>
              <Trans>
                Sold by <Link to={`/seller/${encodeURIComponent(seller)}`}>{seller}</Link>
              </Trans>
            </span>
            <Link to={`/category/${product.category}`}>{i18n._(CATEGORIES[product.category])}</Link>
          </p>
          <Buy product={product} />
          <ul className="promise">
            <li>
              <Icon name="phone" />
              <Trans>Pay with M-Pesa: enter your PIN on your phone.</Trans>
            </li>
            <li>
              <Icon name="shield" />
              <Trans>Only you have the code that confirms delivery.</Trans>
            </li>
            <li>
              <Icon name="back" />
              <Trans>Cancel before it leaves the seller and get your money back.</Trans>
            </li>
          </ul>
          {isWhole ? (
            product.description && (
              <>
                <hr className="rule" />
                <p className="description">{product.description}</p>
              </>
            )
          ) : (
            <div className="skeleton" aria-hidden="true">
              <br />
              <br />
            </div>
          )}
          <Share product={product} />
        </div>
      </article>
      {isWhole && <Reviews product={product} />}
    </>
  );
}

function Buy({ product }: { product: ProductDetail }) {
  const { t } = useLingui();
  const user = useUser();
  const cart = useCart();
  const [number, setNumber] = useState(1);
  const inCart = cart.lines.find((line) => line.id === product.id)?.number ?? 0;
  if (user?.username === product.user_name) {
    return (
      <p className="notice stock">
        <Trans>
          This is your listing. <Link to={`/selling/listings/${product.id}`}>Edit it</Link>
        </Trans>
      </p>
    );
  }
  if (product.soldout) return <Soldout backWithin={product.back_within} />;
  const { name, available } = product;
  return (
    <>
      <div className="buy">
        <Stepper
          value={number}
          most={Math.min(MOST_OF_ONE, available)}
          label={t`Quantity`}
          change={setNumber}
        />
        <button
          type="button"
          className="button"
          onClick={({ detail }) => {
            // A finger that taps twice means it once.
            if (detail > 1) return;
            cart.add(product, number);
            setNumber(1);
          }}
        >
          <Trans>Add to cart</Trans>
        </button>
      </div>
      {available <= LOW_STOCK && (
        <p className="few">
          <Plural value={available} one="Only # left" other="Only # left" />
        </p>
      )}
      <p className="row" role="status">
        {inCart > 0 && (
          <>
            <Icon name="check" />
            <Plural value={inCart} one="# in your cart." other="# in your cart." />
            <Link to="/cart">
              <Trans>
                View cart<span className="hidden"> ({name})</span>
              </Trans>
            </Link>
          </>
        )}
      </p>
    </>
  );
}

/** Says that nothing is available; if units are only reserved for unpaid orders, also until when. */
function Soldout({ backWithin }: { backWithin: number | null }) {
  const minutes = Math.max(1, Math.ceil((backWithin ?? 0) / 60));
  return (
    <p className="notice warn stock">
      {backWithin === null ? (
        <Trans>Sold out.</Trans>
      ) : (
        <Plural
          value={minutes}
          one="The last ones are in other buyers' checkouts. Any they do not pay for are back within # minute."
          other="The last ones are in other buyers' checkouts. Any they do not pay for are back within # minutes."
        />
      )}
    </p>
  );
}

function Share({ product }: { product: ProductDetail }) {
  const [told, setTold] = useState(false);
  const share = async () => {
    const url = `${location.origin}/shop${productPath(product)}`;
    try {
      if (navigator.share) await navigator.share({ title: product.name, url });
      else {
        await navigator.clipboard.writeText(url);
        setTold(true);
      }
    } catch {
      // Cancelled, or not allowed by the browser: the address bar has the link too.
    }
  };
  return (
    <p className="row share">
      <button type="button" className="button plain little" onClick={share}>
        <Icon name="share" />
        <Trans>Share</Trans>
      </button>
      <span role="status">{told && <Trans>Link copied.</Trans>}</span>
    </p>
  );
}

function Skeleton() {
  return (
    <div className="product" aria-hidden="true">
      <div className="gallery">
        <div className="picture skeleton" />
      </div>
      <div>
        <div className="name skeleton">&nbsp;</div>
        <div className="price skeleton">&nbsp;</div>
      </div>
    </div>
  );
}
