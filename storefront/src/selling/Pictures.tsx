/** Pictures of a listing as tiles: take or choose, reorder, remove. */

import { Trans, useLingui } from "@lingui/react/macro";
import { type ReactNode, useState } from "react";
import { smaller } from "../pictures/shrink";
import { Icon } from "../ui/Icon";

/** The limit per listing (products/models/pictures.py). */
export const MAX_PICTURES = 8;
/** Pixels of the longer side that are uploaded: the shop stores no more. */
const EDGE = 1600;

export type Tile = { key: string | number; shown: ReactNode };

export function Tiles({
  tiles,
  move,
  remove,
  isBusy = false,
}: {
  tiles: Tile[];
  move: (from: number, to: number) => void;
  remove: (at: number) => void;
  isBusy?: boolean;
}) {
  const { t } = useLingui();
  return (
    <ul className="tiles">
      {tiles.map(({ key, shown }, at) => {
        const place = at + 1;
        return (
          <li key={key}>
            <div className="picture">
              {shown}
              {at === 0 && (
                <span className="tag flag">
                  <Trans>Main picture</Trans>
                </span>
              )}
            </div>
            <div className="tile-moves">
              {tiles.length > 1 && (
                <button
                  type="button"
                  aria-label={t`Move picture ${place} forward`}
                  disabled={at === 0 || isBusy}
                  onClick={() => move(at, at - 1)}
                >
                  ←
                </button>
              )}
              <button
                type="button"
                aria-label={t`Remove picture ${place}`}
                disabled={isBusy}
                onClick={() => remove(at)}
              >
                <Icon name="cross" />
              </button>
              {tiles.length > 1 && (
                <button
                  type="button"
                  aria-label={t`Move picture ${place} back`}
                  disabled={at === tiles.length - 1 || isBusy}
                  onClick={() => move(at, at + 1)}
                >
                  →
                </button>
              )}
            </div>
          </li>
        );
      })}
    </ul>
  );
}

/** Take pictures with the camera, or choose them. They are scaled down before they are passed on. */
export function PickPictures({
  room,
  add,
  isBusy = false,
}: {
  /** How many more there may be. */
  room: number;
  add: (pictures: Blob[]) => void;
  isBusy?: boolean;
}) {
  const [isShrinking, setShrinking] = useState(false);
  const take = async (input: HTMLInputElement) => {
    const files = Array.from(input.files ?? []).slice(0, room);
    input.value = "";
    if (files.length === 0) return;
    setShrinking(true);
    const pictures: Blob[] = [];
    // One after the other: a small phone has no memory for eight photos at once.
    for (const file of files) pictures.push(await smaller(file, EDGE));
    setShrinking(false);
    add(pictures);
  };
  const isOff = room <= 0 || isShrinking || isBusy;
  return (
    <div className="row">
      <label className="button plain little pick camera">
        <Icon name="camera" />
        <Trans>Take a picture</Trans>
        <input
          className="hidden"
          type="file"
          accept="image/*"
          capture="environment"
          disabled={isOff}
          onChange={(event) => void take(event.target)}
        />
      </label>
      <label className="button plain little pick">
        <Icon name="picture" />
        <Trans>Choose pictures</Trans>
        <input
          className="hidden"
          type="file"
          accept="image/*"
          multiple
          disabled={isOff}
          onChange={(event) => void take(event.target)}
        />
      </label>
      <span role="status" className="quiet small">
        {(isShrinking || isBusy) && <Trans>Please wait…</Trans>}
      </span>
    </div>
  );
}

/** A copy of a list with one item moved. */
export function moved<T>(list: readonly T[], from: number, to: number): T[] {
  const rest = list.filter((_, at) => at !== from);
  return [...rest.slice(0, to), list[from] as T, ...rest.slice(to)];
}
