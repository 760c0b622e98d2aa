import { useEffect, useRef, useState } from "react";
import { Icon } from "../ui/Icon";

const EDGE = 320;

/** A picture that is not uploaded yet. Drawn on a canvas, because the Content-Security-Policy allows no
 *  blob: URLs. An icon if this browser cannot decode it. `name` describes it to screen readers. */
export function Preview({ picture, name }: { picture: Blob; name?: string }) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const [isUnknown, setUnknown] = useState(false);
  useEffect(() => {
    let isOver = false;
    drawInto(canvas.current, picture, () => isOver).then(
      () => undefined,
      () => !isOver && setUnknown(true),
    );
    return () => {
      isOver = true;
    };
  }, [picture]);
  const described = name ? ({ role: "img", "aria-label": name } as const) : {};
  if (isUnknown) {
    return (
      <div className="nothing" {...described}>
        <Icon name="picture" />
      </div>
    );
  }
  return <canvas ref={canvas} width={EDGE} height={EDGE} {...described} />;
}

/** Draw the picture's middle square, as tiles show it. */
async function drawInto(canvas: HTMLCanvasElement | null, picture: Blob, isOver: () => boolean) {
  const bitmap = await createImageBitmap(picture);
  if (!isOver()) {
    const edge = Math.min(bitmap.width, bitmap.height);
    const [left, top] = [(bitmap.width - edge) / 2, (bitmap.height - edge) / 2];
    canvas?.getContext("2d")?.drawImage(bitmap, left, top, edge, edge, 0, 0, EDGE, EDGE);
  }
  bitmap.close();
}
