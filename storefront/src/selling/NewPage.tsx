import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { Link, useNavigate } from "react-router";
import { useUser } from "../account/useUser";
import { dataOf, type Product, userApi } from "../api/client";
import { ApiError } from "../api/errors";
import { newKey } from "../api/keys";
import { meQuery } from "../api/queries";
import { typedPhone } from "../i18n/format";
import { Preview } from "../pictures/Preview";
import { keepPictures, keptPictures } from "../pictures/storedPictures";
import { Icon } from "../ui/Icon";
import { Field, Problem } from "../ui/parts";
import {
  type Draft,
  digits,
  type Fields,
  forgetDraft,
  keepDraft,
  picturesOf,
  readDraft,
  typedIn,
} from "./draft";
import { CategoryField, DescriptionField, NameField, PriceField } from "./fields";
import { MAX_PICTURES, moved, PickPictures, Tiles } from "./Pictures";
import { Offline, Selling } from "./parts";
import { lastNumberQuery } from "./queries";
import { useFirstError } from "./useFirstError";
import { useOnline } from "./useOnline";

/** The page for a new listing. */
export default function NewPage() {
  const seller = useUser()?.pk ?? 0;
  const me = useQuery(meQuery);
  const last = useQuery({ ...lastNumberQuery, staleTime: 0 });
  const { t } = useLingui();
  const isFirst = me.data?.is_seller === false;
  return (
    <Selling name={isFirst ? t`Sell your first product` : t`Sell a product`}>
      {isFirst && <WhatHappens />}
      <Form
        key={seller}
        seller={seller}
        number={last.data || me.data?.phone || ""}
        isNumberKnown={!last.isPending && !me.isPending}
      />
    </Selling>
  );
}

/** An explanation for users who have never sold. */
function WhatHappens() {
  return (
    <ul className="what-happens">
      <li>
        <Icon name="picture" />
        <Trans>Add pictures and a price, and it is on sale right away.</Trans>
      </li>
      <li>
        <Icon name="orders" />
        <Trans>When it sells, we notify you and it is collected from you.</Trans>
      </li>
      <li>
        <Icon name="phone" />
        <Trans>
          Listing is free. We keep a commission on each sale and send your share to your M-Pesa.
        </Trans>
      </li>
    </ul>
  );
}

function Form({
  seller,
  number,
  isNumberKnown,
}: {
  seller: number;
  number: string;
  isNumberKnown: boolean;
}) {
  const { t } = useLingui();
  const client = useQueryClient();
  const navigate = useNavigate();
  const isOnline = useOnline();
  const form = useRef<HTMLFormElement>(null);
  const [draft, setDraft] = useState(() => readDraft(seller));
  const [pictures, setPictures] = usePictures(picturesOf(seller));
  const [sent, setSent] = useState(0);
  const keep = (next: Draft) => {
    keepDraft(seller, next);
    setDraft(next);
  };
  const finish = (id: number) => {
    forgetDraft(seller);
    setPictures([]);
    void client.invalidateQueries({ queryKey: ["selling"] });
    void client.invalidateQueries({ queryKey: meQuery.queryKey });
    navigate(`/selling/listings/${id}`, { replace: true, state: { isNew: true } });
  };
  const list = useMutation({
    // Fields and pictures are arguments: they are sent as they were when the button was pressed.
    mutationFn: async ({ fields, pictures }: { fields: Fields; pictures: Picture[] }) => {
      const begun = { ...draft, fields };
      keepDraft(seller, begun);
      const id = begun.product ?? (await create(begun, pictures[0]?.blob)).id;
      keep({ ...begun, product: id });
      await sendOthers(id, pictures, setSent);
      return id;
    },
    onSuccess: finish,
  });
  const error = list.error instanceof ApiError ? list.error : null;
  const wrong = (name: string) => (error?.status === 400 ? error.field(name) : null);
  useFirstError(form, error);
  if (draft.product !== undefined && (list.isIdle || list.isError)) {
    return (
      <PicturesLeft
        error={list.error}
        again={() => list.mutate({ fields: draft.fields, pictures })}
        leave={() => finish(draft.product ?? 0)}
      />
    );
  }
  const anyField = ["name", "category", "price", "item_number", "description"];
  const isBeside = [...anyField, "payment_mpesa_number", "image"].some(wrong);
  const total = pictures.length;
  const pick = (
    <PickPictures
      room={MAX_PICTURES - total}
      add={(blobs) => setPictures([...pictures, ...blobs.map(asPicture)])}
    />
  );
  return (
    <form
      ref={form}
      className="stack listing-form"
      onInput={(event) => keepDraft(seller, { ...draft, fields: typedIn(event.currentTarget) })}
      onSubmit={(event) => {
        event.preventDefault();
        if (!list.isPending) list.mutate({ fields: typedIn(event.currentTarget), pictures });
      }}
    >
      <fieldset className="panel stack" disabled={list.isPending} aria-label={t`Pictures`}>
        {total === 0 ? (
          <div className="first-picture">
            <Icon name="camera" />
            <p>
              <Trans>
                Listings with pictures sell better. Take one in daylight against a plain wall.
              </Trans>
            </p>
            {pick}
          </div>
        ) : (
          <>
            <Tiles
              tiles={pictures.map(({ key, blob }) => ({ key, shown: <Preview picture={blob} /> }))}
              move={(from, to) => setPictures(moved(pictures, from, to))}
              remove={(at) => setPictures(pictures.filter((_, place) => place !== at))}
            />
            {pick}
          </>
        )}
        <p className="quiet small">
          <Trans>Up to 8 pictures. We shrink them before sending to save your data.</Trans>
        </p>
        {wrong("image") && (
          <p className="error" role="alert">
            {wrong("image")}
          </p>
        )}
      </fieldset>
      <fieldset className="panel stack" disabled={list.isPending} aria-label={t`Your listing`}>
        <NameField values={draft.fields} wrong={wrong} />
        <CategoryField values={draft.fields} wrong={wrong} />
        <div className="halves">
          <PriceField values={draft.fields} wrong={wrong} />
          <Field
            label={<Trans>Quantity</Trans>}
            name="item_number"
            inputMode="numeric"
            autoComplete="off"
            required
            maxLength={9}
            defaultValue={draft.fields.item_number ?? "1"}
            error={wrong("item_number")}
          />
        </div>
        <DescriptionField values={draft.fields} wrong={wrong} />
        <Field
          // The last number is loaded after the page. It replaces an empty field, not a typed number.
          key={isNumberKnown ? "known" : "asked"}
          label={<Trans>Payout number (M-Pesa)</Trans>}
          name="payment_mpesa_number"
          type="tel"
          inputMode="tel"
          autoComplete="tel"
          required
          defaultValue={
            readDraft(seller).fields.payment_mpesa_number || (number && typedPhone(number))
          }
          hint={<Trans>We send your share of each sale to this number.</Trans>}
          error={wrong("payment_mpesa_number")}
        />
      </fieldset>
      <Offline />
      {error?.code === "idempotency_key_reused" ? (
        <ListedBefore
          asNew={() => keep({ ...readDraft(seller), key: newKey() })}
          again={list.reset}
        />
      ) : (
        list.error && !isBeside && <Problem error={list.error} />
      )}
      <button type="submit" className="button wide" disabled={list.isPending || !isOnline}>
        {list.isPending ? <Trans>Please wait…</Trans> : <Trans>List for sale</Trans>}
      </button>
      <p role="status" className="quiet small">
        {list.isPending && total > 1 && sent > 0 && t`Picture ${sent} of ${total} uploaded.`}
      </p>
    </form>
  );
}

/** Shown if the form was sent, changed and sent again: the first version is listed already. */
function ListedBefore({ asNew, again }: { asNew: () => void; again: () => void }) {
  return (
    <div className="notice warn stack" role="alert">
      <p>
        <Trans>
          This is already listed, without your latest changes. Your first try did go through.
        </Trans>
      </p>
      <p className="row">
        <Link className="button little" to="/selling/listings">
          <Trans>See your listings</Trans>
        </Link>
        <button
          type="button"
          className="button plain little"
          onClick={() => {
            asNew();
            again();
          }}
        >
          <Trans>It is a different product: list it too</Trans>
        </button>
      </p>
    </div>
  );
}

/** Shown if the listing was created, but not all its pictures were uploaded. */
function PicturesLeft({
  error,
  again,
  leave,
}: {
  error: Error | null;
  again: () => void;
  leave: () => void;
}) {
  return (
    <div className="panel stack">
      <p>
        <Trans>It is on sale, but some pictures are not uploaded yet.</Trans>
      </p>
      {error && <Problem error={error} />}
      <p className="row">
        <button type="button" className="button little" onClick={again}>
          <Trans>Retry pictures</Trans>
        </button>
        <button type="button" className="button plain little" onClick={leave}>
          <Trans>Continue without them</Trans>
        </button>
      </p>
    </div>
  );
}

/** Create the listing with its first picture. Safe to repeat: the draft's Idempotency-Key is sent. */
async function create({ fields, key }: Draft, picture: Blob | undefined): Promise<Product> {
  const params = { header: { "Idempotency-Key": key } };
  const body = {
    ...fields,
    price: digits(fields.price ?? ""),
    item_number: digits(fields.item_number ?? ""),
  };
  if (!picture) return dataOf(userApi.POST("/create/", { params, body: body as never }));
  const form = new FormData();
  for (const [name, value] of Object.entries(body)) form.set(name, value);
  form.set("image", picture, "picture.jpg");
  return dataOf(
    userApi.POST("/create/", { params, body: form as never, bodySerializer: (it) => it }),
  );
}

/** Upload the pictures after the first, as far as they are missing. Safe to repeat. */
async function sendOthers(id: number, pictures: Picture[], tell: (sent: number) => void) {
  if (pictures.length < 2) return;
  const params = { path: { product_id: id } };
  // An upload whose response was lost may have been stored.
  let there = (await dataOf(userApi.GET("/product/{product_id}/pictures/", { params }))).length;
  for (; there < pictures.length; there++) {
    tell(there);
    const form = new FormData();
    form.set("image", pictures[there]?.blob as Blob, "picture.jpg");
    await dataOf(
      userApi.POST("/product/{product_id}/pictures/", {
        params,
        body: form as never,
        bodySerializer: (it) => it,
      }),
    );
  }
}

type Picture = { key: string; blob: Blob };

const asPicture = (blob: Blob): Picture => ({ key: newKey(), blob });

/** Pictures stored in this browser under a name, and a function that replaces them. */
function usePictures(name: string): [Picture[], (pictures: Picture[]) => void] {
  const [pictures, setPictures] = useState<Picture[]>([]);
  // Pictures chosen before the stored ones are loaded replace those.
  const isOver = useRef(false);
  useEffect(() => {
    isOver.current = false;
    void keptPictures(name).then((kept) => {
      if (!isOver.current && kept.length) setPictures(kept.map(asPicture));
    });
    return () => {
      isOver.current = true;
    };
  }, [name]);
  return [
    pictures,
    (next) => {
      isOver.current = true;
      setPictures(next);
      void keepPictures(
        name,
        next.map(({ blob }) => blob),
      );
    },
  ];
}
