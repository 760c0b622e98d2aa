import { Trans, useLingui } from "@lingui/react/macro";
import { type KeyboardEvent, useRef, useState } from "react";
import type { ProductDetail } from "../api/client";
import { Icon } from "../ui/Icon";
import { Picture } from "../ui/Picture";

type Pictures = ProductDetail["pictures"];

/** The same as in products/templates/shop/product.html. */
const SIZES = "(min-width: 76rem) 600px, (min-width: 48rem) 50vw, 100vw";

/** A product's pictures: to swipe, to choose by thumbnail, and to enlarge. */
export function Gallery({ product }: { product: ProductDetail }) {
  const { t } = useLingui();
  const pictures = known(product);
  const row = useRef<HTMLUListElement>(null);
  const [at, setAt] = useState(0);
  const [closely, setClosely] = useState<number | null>(null);
  const count = pictures.length;
  const place = at + 1;
  return (
    <div className="gallery">
      <div className="frame">
        <ul className="strip" ref={row} onScroll={(event) => setAt(placeOf(event.currentTarget))}>
          {count === 0 && (
            <li>
              <Picture src={null} />
            </li>
          )}
          {pictures.map((picture, index) => {
            const number = index + 1;
            return (
              <li key={picture.id}>
                <Picture
                  src={picture.sizes[0]?.url ?? null}
                  files={picture.sizes}
                  alt={index === 0 ? product.name : ""}
                  sizes={SIZES}
                  eager={index === 0}
                />
                <button
                  type="button"
                  aria-label={
                    count === 1
                      ? t`Zoom in on the picture`
                      : t`Zoom in on picture ${number} of ${count}`
                  }
                  onClick={() => setClosely(index)}
                />
              </li>
            );
          })}
        </ul>
        {count > 1 && (
          <span className="place" aria-hidden="true">
            {place} / {count}
          </span>
        )}
      </div>
      {count > 1 && (
        <div className="thumbs">
          {pictures.map((picture, index) => {
            const number = index + 1;
            return (
              <button
                key={picture.id}
                type="button"
                aria-label={t`Show picture ${number} of ${count}`}
                aria-current={index === at}
                onClick={() => turnTo(row.current, index)}
              >
                <Picture src={picture.sizes[0]?.url ?? null} />
              </button>
            );
          })}
        </div>
      )}
      {closely !== null && (
        <Closely
          pictures={pictures}
          name={product.name}
          from={closely}
          close={() => setClosely(null)}
        />
      )}
    </div>
  );
}

/** A product's pictures; until they are loaded, the thumbnail from the list. */
function known(product: ProductDetail): Pictures {
  if (product.pictures.length > 0 || !product.thumbnail) return product.pictures;
  const sizes = [{ url: product.thumbnail, width: 400, height: 400 }];
  return [{ id: 0, sizes, preview: null }];
}

/** The index of the picture in view. */
function placeOf(row: HTMLElement): number {
  return row.clientWidth ? Math.round(row.scrollLeft / row.clientWidth) : 0;
}

function turnTo(row: HTMLElement | null, index: number): void {
  // The stylesheet says whether smoothly, or at once for users who prefer reduced motion.
  row?.scrollTo({ left: index * row.clientWidth });
}

/** The pictures in full screen. A press doubles the size; arrow keys and swipes go on. */
function Closely({
  pictures,
  name,
  from,
  close,
}: {
  pictures: Pictures;
  name: string;
  from: number;
  close: () => void;
}) {
  const { t } = useLingui();
  const row = useRef<HTMLUListElement>(null);
  const [at, setAt] = useState(from);
  const [isLarge, setLarge] = useState(false);
  const count = pictures.length;
  const place = at + 1;
  const turn = (step: number) => {
    setLarge(false);
    turnTo(row.current, Math.min(count - 1, Math.max(0, at + step)));
  };
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === "ArrowRight") turn(1);
    if (event.key === "ArrowLeft") turn(-1);
  };
  return (
    <dialog
      className="zoom"
      aria-label={t`Pictures of ${name}`}
      ref={(dialog) => {
        if (!dialog || dialog.open) return;
        dialog.showModal();
        row.current?.scrollTo({ left: from * row.current.clientWidth, behavior: "instant" });
      }}
      onClose={close}
      onKeyDown={onKeyDown}
    >
      <ul className="strip" ref={row} onScroll={(event) => setAt(placeOf(event.currentTarget))}>
        {pictures.map((picture, index) => (
          <li
            key={picture.id}
            className={isLarge && index === at ? "large" : undefined}
            aria-hidden={index !== at}
          >
            {Math.abs(index - at) < 2 && (
              <button
                type="button"
                aria-label={isLarge && index === at ? t`Zoom out` : t`Zoom in`}
                tabIndex={index === at ? 0 : -1}
                onClick={() => setLarge(!isLarge)}
              >
                <img src={picture.sizes.at(-1)?.url} alt={name} />
              </button>
            )}
          </li>
        ))}
      </ul>
      {count > 1 && (
        <p className="turn">
          <button
            type="button"
            aria-label={t`Previous picture`}
            disabled={at === 0}
            onClick={() => turn(-1)}
          >
            <Icon name="left" />
          </button>
          <span aria-live="polite">
            <span className="hidden">
              <Trans>
                Picture {place} of {count}
              </Trans>
            </span>
            <span aria-hidden="true">
              {place} / {count}
            </span>
          </span>
          <button
            type="button"
            aria-label={t`Next picture`}
            disabled={at === count - 1}
            onClick={() => turn(1)}
          >
            <Icon name="right" />
          </button>
        </p>
      )}
      <form method="dialog">
        <button type="submit" className="close" aria-label={t`Close`}>
          <Icon name="cross" />
        </button>
      </form>
    </dialog>
  );
}
