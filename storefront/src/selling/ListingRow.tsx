import { Plural, Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Link } from "react-router";
import { Picture } from "../ui/Picture";
import { Money, Problem, Stars } from "../ui/parts";
import type { Listing } from "./queries";
import { Restock } from "./Restock";
import { useListed } from "./useListed";
import { useOnline } from "./useOnline";

/** Stock up to this number is low (products.catalogue.filters). */
const LOW = 5;

/** One listing in the seller's list. */
export function ListingRow({
  listing,
  said,
}: {
  listing: Listing;
  /** Called with a message after an action. */
  said: (text: string) => void;
}) {
  const { t } = useLingui();
  const isOnline = useOnline();
  const [isRestocking, setRestocking] = useState(false);
  const change = useListed(listing.id);
  const { id, name, free } = listing;
  const turn = (listed: boolean) =>
    change.mutate(listed, {
      onSuccess: () => said(listed ? t`Back on sale: ${name}.` : t`Removed from sale: ${name}.`),
    });
  return (
    <li className={listing.listed ? "panel goods" : "panel goods off"}>
      <Picture src={listing.thumbnail} />
      <div className="goods-about">
        <h2>
          <Link to={`/selling/listings/${id}`}>{name}</Link>
        </h2>
        <p className="row">
          <Money kes={listing.price} />
          <Standing listing={listing} />
          <Stars stars={listing.stars} reviews={listing.reviews} />
        </p>
        <StockLine listing={listing} />
      </div>
      <div className="goods-do row">
        <button
          type="button"
          className="button plain little"
          aria-expanded={isRestocking}
          onClick={() => setRestocking(!isRestocking)}
        >
          <Trans>Restock</Trans>
          <span className="hidden"> ({name})</span>
        </button>
        <Link className="button plain little" to={`/selling/listings/${id}`}>
          <Trans>Edit</Trans>
          <span className="hidden"> ({name})</span>
        </Link>
        <button
          type="button"
          className="as-link"
          disabled={change.isPending || !isOnline}
          onClick={() => turn(!listing.listed)}
        >
          {listing.listed ? <Trans>Remove from sale</Trans> : <Trans>List again</Trans>}
          <span className="hidden"> ({name})</span>
        </button>
      </div>
      {(change.error || isRestocking) && (
        <div className="goods-more stack">
          {change.error && <Problem error={change.error} />}
          {isRestocking && (
            <Restock
              listing={listing}
              close={() => setRestocking(false)}
              done={(now) => {
                setRestocking(false);
                const left = now.free;
                said(t`${name}: ${left} in stock.`);
              }}
            />
          )}
        </div>
      )}
      {!listing.listed && free > 0 && (
        <p className="goods-more quiet small">
          <Trans>It is hidden until you list it again.</Trans>
        </p>
      )}
    </li>
  );
}

/** A listing's status: on sale, low stock, sold out or not listed. */
export function Standing({ listing }: { listing: Listing }) {
  if (!listing.listed) {
    return (
      <span className="tag">
        <Trans>Not on sale</Trans>
      </span>
    );
  }
  if (listing.free <= 0) {
    return (
      <span className="tag bad">
        <Trans>Sold out</Trans>
      </span>
    );
  }
  if (listing.free <= LOW) {
    return (
      <span className="tag warn">
        <Trans>Low stock</Trans>
      </span>
    );
  }
  return (
    <span className="tag ok">
      <Trans>On sale</Trans>
    </span>
  );
}

/** The stock of a listing in one line. */
export function StockLine({ listing }: { listing: Listing }) {
  return (
    <p className="small stock-line">
      <span>
        <Plural value={listing.free} one="# in stock" other="# in stock" />
      </span>
      {listing.held > 0 && (
        <span>
          <Plural value={listing.held} one="# reserved" other="# reserved" />
        </span>
      )}
      <span>
        <Plural value={listing.sold} one="# sold" other="# sold" />
      </span>
    </p>
  );
}
