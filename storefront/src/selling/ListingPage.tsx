import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { Link, useLocation, useParams } from "react-router";
import { dataOf, type Schemas, userApi } from "../api/client";
import { ApiError } from "../api/errors";
import { productQuery } from "../api/queries";
import { NotFound } from "../app/NotFound";
import { productPath } from "../catalogue/categories";
import { typedPhone } from "../i18n/format";
import { Field, Problem } from "../ui/parts";
import { digits } from "./draft";
import { CategoryField, DescriptionField, NameField, PriceField } from "./fields";
import { Gallery } from "./Gallery";
import { Standing, StockLine } from "./ListingRow";
import { Offline, Selling } from "./parts";
import { type Listing, listingQuery } from "./queries";
import { Restock } from "./Restock";
import { ShareButton } from "./ShareButton";
import { StockHistory } from "./StockHistory";
import { useFirstError } from "./useFirstError";
import { useListed } from "./useListed";
import { useOnline } from "./useOnline";

/** One of the seller's listings, to edit. */
export default function ListingPage() {
  const { t } = useLingui();
  const id = Number.parseInt(useParams().listing ?? "", 10) || 0;
  const query = useQuery({ ...listingQuery(id), staleTime: 0 });
  const listing = query.data;
  if (listing === null || (query.error instanceof ApiError && query.error.status === 400)) {
    return (
      <NotFound title={t`This is not your listing`}>
        <Link to="/selling/listings">
          <Trans>See your listings</Trans>
        </Link>
      </NotFound>
    );
  }
  return (
    <Selling name={listing?.name ?? t`Please wait…`}>
      {query.isError && !listing && (
        <Problem error={query.error} again={() => void query.refetch()} />
      )}
      {query.isPending && <Skeleton />}
      {listing && (
        <>
          <ListingStatus listing={listing} />
          <Gallery listing={listing} />
          <Edit listing={listing} />
          <Stock listing={listing} />
          <WherePaid listing={listing} />
        </>
      )}
    </Selling>
  );
}

/** A placeholder of the same height, so that nothing moves. */
function Skeleton() {
  return (
    <div className="stack" aria-hidden="true">
      <div className="panel skeleton tall" />
      <div className="panel skeleton taller" />
      <div className="panel skeleton taller" />
    </div>
  );
}

/** The listing's status, the switch that shows it to buyers, and the link to its public page. */
function ListingStatus({ listing }: { listing: Listing }) {
  const { state } = useLocation();
  const isOnline = useOnline();
  const change = useListed(listing.id);
  const path = productPath(listing);
  const isNew = Boolean(state?.isNew) && listing.listed;
  return (
    <section className={isNew ? "panel stack fresh" : "panel stack"}>
      {isNew ? (
        <p role="status">
          <strong>
            <Trans>It is on sale. Share it:</Trans>
          </strong>
        </p>
      ) : (
        <div className="row">
          <Standing listing={listing} />
          <StockLine listing={listing} />
        </div>
      )}
      <p className="row">
        {listing.listed && <ShareButton path={path} title={listing.name} />}
        {listing.listed && (
          <Link className="button plain little" to={path}>
            <Trans>View as a buyer</Trans>
          </Link>
        )}
        {isNew && (
          <Link className="button plain little" to="/selling/new">
            <Trans>Sell another product</Trans>
          </Link>
        )}
        {!isNew && (
          <button
            type="button"
            className={listing.listed ? "as-link" : "button little"}
            disabled={change.isPending || !isOnline}
            onClick={() => change.mutate(!listing.listed)}
          >
            {listing.listed ? <Trans>Remove from sale</Trans> : <Trans>List again</Trans>}
          </button>
        )}
      </p>
      {!isNew && (
        <p className="quiet small">
          {listing.listed ? (
            <Trans>Buyers cannot see it while removed. Existing orders continue.</Trans>
          ) : (
            <Trans>It is hidden until you list it again.</Trans>
          )}
        </p>
      )}
      {change.error && <Problem error={change.error} />}
    </section>
  );
}

type Changes = Schemas["EditProductInputJson"];

/** Save changed fields of a listing; others are left unchanged. */
function useChanges(listing: Listing) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Changes) =>
      dataOf(
        userApi.PATCH("/product/{product_id}/", {
          params: { path: { product_id: listing.id } },
          body,
        }),
      ),
    onSuccess: (now) => {
      client.setQueryData(listingQuery(listing.id).queryKey, now);
      void client.invalidateQueries({ queryKey: ["selling", "listings"] });
      void client.invalidateQueries({ queryKey: productQuery(listing.id).queryKey });
    },
  });
}

function Edit({ listing }: { listing: Listing }) {
  const isOnline = useOnline();
  const form = useRef<HTMLFormElement>(null);
  const save = useChanges(listing);
  const error = save.error instanceof ApiError && save.error.status === 400 ? save.error : null;
  const wrong = (name: string) => error?.field(name) ?? null;
  useFirstError(form, error);
  const values = {
    name: listing.name,
    category: listing.category,
    price: String(listing.price),
    description: listing.description,
  };
  const isBeside = [...Object.keys(values), "sku"].some(wrong);
  return (
    <section className="panel">
      <h2>
        <Trans>Your listing</Trans>
      </h2>
      <form
        ref={form}
        className="stack"
        onInput={() => save.isSuccess && save.reset()}
        onSubmit={(event) => {
          event.preventDefault();
          if (save.isPending) return;
          const typed = new FormData(event.currentTarget);
          const text = (name: string) => String(typed.get(name) ?? "").trim();
          save.mutate({
            name: text("name"),
            category: text("category") as Listing["category"],
            price: digits(text("price")) as unknown as number,
            description: text("description"),
            sku: text("sku") || null,
          });
        }}
      >
        <NameField values={values} wrong={wrong} />
        <CategoryField values={values} wrong={wrong} />
        <PriceField values={values} wrong={wrong} />
        <DescriptionField values={values} wrong={wrong} />
        <Field
          label={<Trans>Your SKU (optional)</Trans>}
          name="sku"
          autoComplete="off"
          maxLength={40}
          defaultValue={listing.sku ?? ""}
          hint={<Trans>Hidden from buyers. Spreadsheets use it to match listings.</Trans>}
          error={wrong("sku")}
        />
        <p className="quiet small">
          <Trans>Existing orders keep their name and price. Changes apply to future sales.</Trans>
        </p>
        <Offline />
        {save.error && !isBeside && <Problem error={save.error} />}
        <p className="row">
          <button type="submit" className="button" disabled={save.isPending || !isOnline}>
            {save.isPending ? <Trans>Please wait…</Trans> : <Trans>Save</Trans>}
          </button>
          <span role="status">{save.isSuccess && <Trans>Saved.</Trans>}</span>
        </p>
      </form>
    </section>
  );
}

function Stock({ listing }: { listing: Listing }) {
  const [left, setLeft] = useState<number | null>(null);
  return (
    <section className="panel stack">
      <h2>
        <Trans>Stock</Trans>
      </h2>
      <StockLine listing={listing} />
      <p role="status" className={left === null ? "hidden" : "notice ok"}>
        {left !== null && <Trans>Saved: {left} in stock.</Trans>}
      </p>
      <Restock listing={listing} done={(now) => setLeft(now.free)} />
      <StockHistory id={listing.id} />
    </section>
  );
}

/** The payout number of the listing. Changing it requires the password. */
function WherePaid({ listing }: { listing: Listing }) {
  const isOnline = useOnline();
  const form = useRef<HTMLFormElement>(null);
  const save = useChanges(listing);
  const error = save.error instanceof ApiError ? save.error : null;
  const wrong = (name: string) => (error?.status === 400 ? error.field(name) : null);
  useFirstError(form, error);
  return (
    <section className="panel">
      <h2>
        <Trans>Payout number</Trans>
      </h2>
      <form
        ref={form}
        className="stack"
        onSubmit={(event) => {
          event.preventDefault();
          if (save.isPending) return;
          const sent = event.currentTarget;
          const typed = new FormData(sent);
          save.mutate(
            {
              payment_mpesa_number: String(typed.get("payment_mpesa_number") ?? "").trim(),
              password: String(typed.get("password") ?? ""),
            },
            { onSuccess: () => sent.reset() },
          );
        }}
      >
        <Field
          key={listing.payment_mpesa_number}
          label={<Trans>M-Pesa number</Trans>}
          name="payment_mpesa_number"
          type="tel"
          inputMode="tel"
          autoComplete="tel"
          required
          defaultValue={typedPhone(listing.payment_mpesa_number)}
          hint={<Trans>Applies to sales of this product from now on.</Trans>}
          error={wrong("payment_mpesa_number")}
        />
        <Field
          label={<Trans>Your password</Trans>}
          name="password"
          type="password"
          autoComplete="current-password"
          required
          hint={<Trans>We ask because this changes where you are paid.</Trans>}
          error={wrong("password")}
        />
        {save.error && !wrong("payment_mpesa_number") && !wrong("password") && (
          <Problem error={save.error} />
        )}
        <p className="row">
          <button
            type="submit"
            className="button plain little"
            disabled={save.isPending || !isOnline}
          >
            {save.isPending ? <Trans>Please wait…</Trans> : <Trans>Change number</Trans>}
          </button>
          <span role="status">{save.isSuccess && <Trans>Saved.</Trans>}</span>
        </p>
      </form>
    </section>
  );
}
