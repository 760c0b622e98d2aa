import { useEffect, useRef, useState } from "react";
import { Icon } from "../ui/Icon";

const EDGE = 320;

/** A picture that is only in this browser yet. Drawn, because the Content-Security-Policy knows no
 *  blob: addresses; one that this browser cannot read stays a sign. */
export function Preview({ picture }: { picture: Blob }) {
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
  if (isUnknown) {
    return (
      <div className="nothing">
        <Icon name="picture" />
      </div>
    );
  }
  return <canvas ref={canvas} width={EDGE} height={EDGE} />;
}

/** The middle of it, as tiles show pictures. */
async function drawInto(canvas: HTMLCanvasElement | null, picture: Blob, isOver: () => boolean) {
  const bitmap = await createImageBitmap(picture);
  if (!isOver()) {
    const edge = Math.min(bitmap.width, bitmap.height);
    const [left, top] = [(bitmap.width - edge) / 2, (bitmap.height - edge) / 2];
    canvas?.getContext("2d")?.drawImage(bitmap, left, top, edge, edge, 0, 0, EDGE, EDGE);
  }
  bitmap.close();
}
