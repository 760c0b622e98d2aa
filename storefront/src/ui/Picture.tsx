import type { Schemas } from "../api/client";
import { Icon } from "./Icon";
import { useSeen } from "./parts";

type Sizes = Schemas["PictureOutput"]["sizes"];

/** A product's picture. It is loaded when it comes near the screen, or at once if `eager`. `files` are
 *  its sizes, smallest first; the browser chooses one by `sizes`. */
export function Picture({
  src,
  files = [],
  alt = "",
  eager = false,
  sizes,
}: {
  src: string | null;
  files?: Sizes;
  alt?: string;
  eager?: boolean;
  sizes?: string;
}) {
  const [ref, seen] = useSeen<HTMLDivElement>();
  const small = files[0];
  const set = setOf(files);
  return (
    <div className="picture" ref={ref}>
      {src === null && (
        <div className="nothing">
          <Icon name="picture" />
        </div>
      )}
      {src !== null && (eager || seen) && (
        <img
          src={src}
          srcSet={set}
          sizes={set ? sizes : undefined}
          alt={alt}
          width={small?.width ?? 400}
          height={small?.height ?? 400}
          decoding="async"
          fetchPriority={eager ? "high" : "auto"}
        />
      )}
    </div>
  );
}

/** A `srcset`, like "a.webp 400w, b.webp 800w"; undefined for one size, or if a width is not known. */
export function setOf(files: Sizes): string | undefined {
  if (files.length < 2 || files.some(({ width }) => !width)) return undefined;
  return files.map(({ url, width }) => `${url} ${width}w`).join(", ");
}
