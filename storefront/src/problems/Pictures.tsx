import { Trans, useLingui } from "@lingui/react/macro";
import { useState } from "react";
import { Preview } from "../pictures/Preview";
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
                <Preview picture={picture} name={t`Picture ${number}`} />
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
