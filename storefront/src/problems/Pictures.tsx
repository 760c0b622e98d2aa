import { Trans, useLingui } from "@lingui/react/macro";
import { useEffect, useRef, useState } from "react";
import { smaller } from "../pictures/shrink";
import { Icon } from "../ui/Icon";

/** The limit per message (orders/problems/serializers.py). */
export const MOST_PICTURES = 3;
/** Pixels of the longer side: enough to show a crack. A photo of 4 MB becomes about 200 kB. */
const EDGE = 1600;

/** Choose photos for a message; they are scaled down at once. */
export function Pictures({
  pictures,
  change,
  error,
}: {
  pictures: readonly Blob[];
  change: (to: Blob[]) => void;
  error: string | null;
}) {
  const { t } = useLingui();
  const [isBusy, setBusy] = useState(false);
  const room = MOST_PICTURES - pictures.length;
  const add = async (files: FileList) => {
    setBusy(true);
    const small: Blob[] = [];
    // One after the other: a cheap phone has no memory for three photos at once.
    for (const file of [...files].slice(0, room)) small.push(await smaller(file, EDGE));
    setBusy(false);
    change([...pictures, ...small]);
  };
  return (
    <div className="field">
      {pictures.length > 0 && (
        <ul className="chosen">
          {pictures.map((picture, at) => {
            const number = at + 1;
            return (
              // biome-ignore lint/suspicious/noArrayIndexKey: a Blob has no name
              <li key={at}>
                <Drawn picture={picture} name={t`Picture ${number}`} />
                <button
                  type="button"
                  aria-label={t`Remove picture ${number}`}
                  onClick={() => change(pictures.filter((each) => each !== picture))}
                >
                  <Icon name="cross" />
                </button>
              </li>
            );
          })}
        </ul>
      )}
      {room > 0 && (
        <label className="button plain little">
          <Icon name="picture" />
          {isBusy ? <Trans>Please wait…</Trans> : <Trans>Add a picture</Trans>}
          <input
            className="hidden"
            type="file"
            accept="image/*"
            multiple
            disabled={isBusy}
            onChange={(event) => {
              const { files } = event.target;
              if (files?.length) void add(files).finally(() => setBusy(false));
              event.target.value = "";
            }}
          />
        </label>
      )}
      {error ? (
        <span className="error" role="alert">
          {error}
        </span>
      ) : (
        <span className="hint">
          <Trans>Up to 3 pictures. We shrink them before sending to save your data.</Trans>
        </span>
      )}
    </div>
  );
}

/** It is drawn, for the page may show none but the shop's own addresses (Content-Security-Policy). */
function Drawn({ picture, name }: { picture: Blob; name: string }) {
  const [bitmap, setBitmap] = useState<ImageBitmap | null>(null);
  useEffect(() => {
    let isOver = false;
    createImageBitmap(picture).then(
      (made) => !isOver && setBitmap(made),
      () => undefined,
    );
    return () => {
      isOver = true;
    };
  }, [picture]);
  return <Bitmap of={bitmap} name={name} />;
}

/** A picture that was decoded; a tile until then. */
export function Bitmap({ of: bitmap, name }: { of: ImageBitmap | null | undefined; name: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  useEffect(() => {
    if (!canvas.current || !bitmap) return;
    canvas.current.width = bitmap.width;
    canvas.current.height = bitmap.height;
    canvas.current.getContext("2d")?.drawImage(bitmap, 0, 0);
  }, [bitmap]);
  return (
    <canvas
      ref={canvas}
      className={bitmap ? "" : "skeleton"}
      role="img"
      aria-label={name}
      width="400"
      height="300"
    />
  );
}
