import { Trans } from "@lingui/react/macro";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { dataOf, type Schemas, userApi } from "../api/client";
import { ApiError, NoAnswer } from "../api/errors";
import { productQuery } from "../api/queries";
import { Problem } from "../ui/parts";
import { MAX_PICTURES, moved, PickPictures, Tiles } from "./Pictures";
import { type Listing, listingQuery } from "./queries";
import { useOnline } from "./useOnline";

type PictureOf = Schemas["PictureOutput"];

/** Edit a listing's pictures. Each change is saved at once. */
export function Gallery({ listing }: { listing: Listing }) {
  const client = useQueryClient();
  const isOnline = useOnline();
  const { id, pictures } = listing;
  const params = { path: { product_id: id } };
  const there = () => dataOf(userApi.GET("/product/{product_id}/pictures/", { params }));
  const show = (now: PictureOf[]) =>
    client.setQueryData(
      listingQuery(id).queryKey,
      (before) => before && { ...before, pictures: now },
    );
  const save = useMutation({
    mutationFn: (work: () => Promise<PictureOf[]>) => work(),
    onSuccess: show,
    onError: async (error) => {
      // Show the pictures as they are now: a change without a response may have been saved.
      if (error instanceof ApiError || error instanceof NoAnswer) {
        show(await there().catch(() => pictures));
      }
    },
    onSettled: () => {
      void client.invalidateQueries({ queryKey: ["selling", "listings"] });
      void client.invalidateQueries({ queryKey: productQuery(id).queryKey });
    },
  });
  const add = (blobs: Blob[]) =>
    save.mutate(async () => {
      let now = pictures;
      for (const blob of blobs) {
        const form = new FormData();
        form.set("image", blob, "picture.jpg");
        now = await dataOf(
          userApi.POST("/product/{product_id}/pictures/", {
            params,
            body: form as never,
            bodySerializer: (it) => it,
          }),
        );
        show(now);
      }
      return now;
    });
  const order = (from: number, to: number) => {
    const ordered = moved(pictures, from, to);
    save.mutate(() =>
      dataOf(
        userApi.PUT("/product/{product_id}/pictures/", {
          params,
          body: { order: ordered.map((picture) => picture.id) },
        }),
      ),
    );
  };
  const remove = (at: number) => {
    const picture = pictures[at];
    if (!picture) return;
    save.mutate(async () => {
      await dataOf(
        userApi.DELETE("/product/{product_id}/pictures/{picture_id}/", {
          params: { path: { product_id: id, picture_id: picture.id } },
        }),
      );
      return there();
    });
  };
  return (
    <section className="panel stack">
      <h2>
        <Trans>Pictures</Trans>
      </h2>
      {pictures.length > 0 ? (
        <Tiles
          tiles={pictures.map((picture) => ({
            key: picture.id,
            shown: (
              <img src={picture.sizes[0]?.url} alt="" width="400" height="400" loading="lazy" />
            ),
          }))}
          move={order}
          remove={remove}
          isBusy={save.isPending || !isOnline}
        />
      ) : (
        <p className="quiet">
          <Trans>No pictures yet. Listings with pictures sell better.</Trans>
        </p>
      )}
      <PickPictures
        room={isOnline ? MAX_PICTURES - pictures.length : 0}
        add={add}
        isBusy={save.isPending}
      />
      {save.error && <Problem error={save.error} />}
    </section>
  );
}
