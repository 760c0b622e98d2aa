import type { MessageDescriptor } from "@lingui/core";
import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { dataOf, type Schemas, userApi } from "../api/client";
import { userQuery } from "../api/queries";
import { missingOfPlace, type Place, wrongOf } from "../delivery/choice";
import { PlaceFields } from "../delivery/PlaceFields";
import { type Address, addressesQuery } from "../delivery/queries";
import { typedPhone } from "../i18n/format";
import { Field, Problem } from "../ui/parts";

type Typed = Partial<Place & { label: string; is_collection_place: boolean }>;

/** The form for a new address, or for `address` if one is given. */
export function AddressForm({ address, close }: { address?: Address; close: () => void }) {
  const { i18n } = useLingui();
  const client = useQueryClient();
  const own = useQuery({ ...userQuery, enabled: !address });
  const [typed, setTyped] = useState<Typed>({});
  const [missing, setMissing] = useState<Partial<Record<string, MessageDescriptor>>>({});
  const save = useMutation({
    mutationFn: (body: Schemas["AddressInput"]) =>
      address
        ? dataOf(
            userApi.PATCH("/account/addresses/{address_id}/", {
              params: { path: { address_id: address.id } },
              body,
            }),
          )
        : dataOf(userApi.POST("/account/addresses/", { body })),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: addressesQuery.queryKey });
      close();
    },
  });
  const now = {
    label: address?.label ?? "",
    recipient:
      address?.recipient ?? [own.data?.first_name, own.data?.last_name].filter(Boolean).join(" "),
    phone: typedPhone(address?.phone ?? own.data?.phone ?? ""),
    county: address?.county ?? ("" as const),
    area: address?.area ?? "",
    directions: address?.directions ?? "",
    is_collection_place: address?.is_collection_place ?? false,
    ...typed,
  };
  const change = (changed: Typed) => setTyped({ ...typed, ...changed });
  const refused = wrongOf(save.error);
  const wrong = {
    ...refused,
    ...Object.fromEntries(
      Object.entries(missing).map(([name, words]) => [name, words ? i18n._(words) : ""]),
    ),
  };
  const isOnField = Object.keys(refused).some((name) => name in now);
  return (
    <form
      className="stack"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const found = missingOfPlace(now);
        setMissing(found);
        const { county } = now;
        if (county && Object.keys(found).length === 0) save.mutate({ ...now, county });
      }}
    >
      <Field
        label={<Trans>Address name</Trans>}
        name="label"
        maxLength={30}
        value={now.label}
        error={wrong.label}
        hint={<Trans>For example “Home” or “Shop” (optional).</Trans>}
        onChange={(event) => change({ label: event.target.value })}
      />
      <PlaceFields place={now} wrong={wrong} change={change} />
      <label className="choice">
        <input
          type="checkbox"
          checked={now.is_collection_place}
          onChange={(event) => change({ is_collection_place: event.target.checked })}
        />
        <span>
          <Trans>Collect what I sell from here</Trans>
        </span>
      </label>
      {save.error && !isOnField && <Problem error={save.error} />}
      <p className="row">
        <button type="submit" className="button little" disabled={save.isPending}>
          {save.isPending ? <Trans>Please wait…</Trans> : <Trans>Save address</Trans>}
        </button>
        <button type="button" className="button plain little" onClick={close}>
          <Trans>Cancel</Trans>
        </button>
      </p>
    </form>
  );
}
