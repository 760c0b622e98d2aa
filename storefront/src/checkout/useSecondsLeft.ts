import { useRef } from "react";
import { serverNow } from "../api/client";
import { useSecondsUntil } from "../ui/parts";

/** Answers name whole seconds: two of them about one moment may be so far apart, milliseconds. */
const ROUNDING = 1_500;

/** What is left of the seconds that an answer named, counted down from when it came (`since`, by
 *  this device's clock); 0 where it named none. */
export function useSecondsLeft(seconds: number | null, since: number): number {
  const kept = useRef<number | null>(null);
  const end = seconds === null ? null : since + (serverNow() - Date.now()) + seconds * 1000;
  const { current } = kept;
  const isSame = end !== null && current !== null && Math.abs(end - current) < ROUNDING;
  if (!isSame) kept.current = end;
  return useSecondsUntil(kept.current);
}
