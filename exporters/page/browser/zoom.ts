// Moving about on a time axis by keys. Pure; times in seconds.

const zoomStep = 2;
const panShare = 0.2;
/** Nobody looks at less than this. */
const spanMinSeconds = 0.02;

export interface Range {
  readonly min: number;
  readonly max: number;
}

/** The range after a key (+ - arrows 0), within `all`; null where the key means nothing here. */
export function moved(key: string, { min, max }: Range, all: Range): Range | null {
  const span = max - min;
  const middle = (min + max) / 2;
  const around = (wanted: number): Range => {
    const next = Math.min(Math.max(wanted, spanMinSeconds), all.max - all.min);
    return within({ min: middle - next / 2, max: middle + next / 2 }, all);
  };
  const shifted = (by: number): Range => within({ min: min + by, max: max + by }, all);
  switch (key) {
    case "+":
    case "=":
      return around(span / zoomStep);
    case "-":
      return around(span * zoomStep);
    case "ArrowLeft":
      return shifted(-span * panShare);
    case "ArrowRight":
      return shifted(span * panShare);
    case "0":
      return all;
    default:
      return null;
  }
}

/** The same span, moved so that it does not leave what there is. */
function within({ min, max }: Range, all: Range): Range {
  const by = Math.max(0, all.min - min) - Math.max(0, max - all.max);
  return { min: min + by, max: max + by };
}
