import { Trans, useLingui } from "@lingui/react/macro";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { Link } from "react-router";
import { dataOf, userApi } from "../api/client";
import { Title } from "../app/Title";
import { AddressLine } from "../delivery/DeliveryChoice";
import { type Address, addressesQuery } from "../delivery/queries";
import { ConfirmButton } from "../ui/ConfirmButton";
import { Empty, Problem } from "../ui/parts";
import { AddressForm } from "./AddressForm";

/** The number of addresses a user can save (accounts/models/addresses.py). */
const MOST = 10;

/** The user's addresses: add, change, choose the default, delete. */
export default function AddressesPage() {
  const { t } = useLingui();
  const list = useQuery({ ...addressesQuery, staleTime: 0 });
  // The address whose form is open, by its id.
  const [open, setOpen] = useState<number | "new" | null>(null);
  const close = () => setOpen(null);
  const addresses = list.data ?? [];
  return (
    <div className="narrow stack">
      <Title text={t`Your addresses`} />
      <h1>{t`Your addresses`}</h1>
      {list.isError && <Problem error={list.error} again={() => void list.refetch()} />}
      {list.isPending && <div className="panel skeleton" aria-hidden="true" />}
      {list.isSuccess && addresses.length === 0 && open !== "new" && (
        <Empty title={<Trans>No saved addresses</Trans>}>
          <p className="quiet">
            <Trans>Save an address to check out faster.</Trans>
          </p>
        </Empty>
      )}
      <ul className="stack">
        {addresses.map((address) => (
          <li className="panel stack" key={address.id}>
            {open === address.id ? (
              <AddressForm address={address} close={close} />
            ) : (
              <Shown address={address} change={() => setOpen(address.id)} />
            )}
          </li>
        ))}
      </ul>
      {open === "new" && (
        <section className="panel">
          <h2>
            <Trans>New address</Trans>
          </h2>
          <AddressForm close={close} />
        </section>
      )}
      {list.isSuccess && open !== "new" && addresses.length < MOST && (
        <button type="button" className="button" onClick={() => setOpen("new")}>
          <Trans>Add an address</Trans>
        </button>
      )}
      {addresses.length >= MOST && (
        <p className="quiet">
          <Trans>You have reached the address limit. Edit or delete one to add another.</Trans>
        </p>
      )}
      <p>
        <Link to="/account">
          <Trans>Back to your account</Trans>
        </Link>
      </p>
    </div>
  );
}

function Shown({ address, change }: { address: Address; change: () => void }) {
  const client = useQueryClient();
  const again = () => client.invalidateQueries({ queryKey: addressesQuery.queryKey });
  const params = { path: { address_id: address.id } };
  const prefer = useMutation({
    mutationFn: () =>
      dataOf(
        userApi.PATCH("/account/addresses/{address_id}/", { params, body: { is_default: true } }),
      ),
    onSettled: again,
  });
  const remove = useMutation({
    mutationFn: () => dataOf(userApi.DELETE("/account/addresses/{address_id}/", { params })),
    onSettled: again,
  });
  return (
    <>
      <div className="field">
        <AddressLine address={address} />
      </div>
      {(address.is_default || address.is_collection_place) && (
        <p className="row">
          {address.is_default && (
            <span className="tag ok">
              <Trans>Default</Trans>
            </span>
          )}
          {address.is_collection_place && (
            <span className="tag">
              <Trans>Your sales are collected here</Trans>
            </span>
          )}
        </p>
      )}
      {prefer.error && <Problem error={prefer.error} />}
      <div className="row">
        <button type="button" className="as-link" onClick={change}>
          <Trans>Edit</Trans>
        </button>
        {!address.is_default && (
          <button
            type="button"
            className="as-link"
            disabled={prefer.isPending}
            onClick={() => prefer.mutate()}
          >
            <Trans>Make default</Trans>
          </button>
        )}
        <ConfirmButton
          label={<Trans>Delete</Trans>}
          warning={
            <Trans>
              This removes it from your addresses. Orders already placed still go there.
            </Trans>
          }
          confirm={<Trans>Yes, delete it</Trans>}
          isBusy={remove.isPending}
          error={remove.error}
          onConfirm={() => remove.mutate()}
        />
      </div>
    </>
  );
}
