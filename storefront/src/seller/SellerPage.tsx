import "./seller.css";
import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { Link, useParams } from "react-router";
import { useUser } from "../account/useUser";
import type { Schemas } from "../api/client";
import { ApiError } from "../api/errors";
import { searchQuery, sellerQuery } from "../api/queries";
import { NotFound } from "../app/NotFound";
import { Title } from "../app/Title";
import { CardList } from "../catalogue/CardList";
import { day } from "../i18n/format";
import { Empty, Problem, Stars } from "../ui/parts";

type Seller = Schemas["SellerOutput"];

/** A seller's public page: their profile and products. */
export default function SellerPage() {
  const { t } = useLingui();
  const username = useParams().username ?? "";
  const query = useQuery(sellerQuery(username));
  if (query.error instanceof ApiError && query.error.status === 404 && !query.data) {
    return <NotFound title={t`Seller not found`} />;
  }
  return (
    <>
      <Title text={query.data?.display_name ?? username} />
      {query.isError && !query.data && (
        <Problem error={query.error} again={() => void query.refetch()} />
      )}
      {query.isPending && <div className="seller skeleton" aria-hidden="true" />}
      {query.data && <About seller={query.data} />}
      <Goods username={username} />
    </>
  );
}

function About({ seller }: { seller: Seller }) {
  const user = useUser();
  const since = day(seller.member_since);
  return (
    <header className="seller">
      {seller.avatar ? (
        <img src={seller.avatar} alt="" width="80" height="80" />
      ) : (
        <span className="letter" aria-hidden="true">
          {seller.display_name.slice(0, 1).toUpperCase()}
        </span>
      )}
      <div>
        <h1>{seller.display_name}</h1>
        <p className="meta">
          <Stars stars={seller.stars} reviews={seller.reviews} />
          <span>
            <Plural value={seller.goods} one="# product" other="# products" />
          </span>
          <span className="quiet">
            <Trans>selling since {since}</Trans>
          </span>
        </p>
        {user?.username === seller.user_name && (
          <p>
            <Link to="/selling">
              <Trans>This is how buyers see your shop. Go to your dashboard</Trans>
            </Link>
          </p>
        )}
      </div>
    </header>
  );
}

function Goods({ username }: { username: string }) {
  const { t } = useLingui();
  const list = useInfiniteQuery(searchQuery("", { seller: username, ordering: "newest" }));
  return (
    <section aria-label={t`Products`}>
      <CardList
        list={list}
        nothing={<Empty title={<Trans>No products for sale right now</Trans>} />}
      />
    </section>
  );
}
