// The name that a function was given as a property of its own: by a computed key, or by whoever set
// `name`. V8 prints it before the name in the source. Watchdog thread.
// Rules: src/objects/js-function.cc GetDebugName, src/objects/field-index-inl.h ForDetails; layout:
// src/objects/descriptor-array.tq, map.tq and property-array.tq at the tags in v8-versions.ts.

import type { Tagged, V8Heap } from "./v8-heap";
import { readString } from "./v8-strings";

/** A function has length, name, prototype and what was put on it; a class its static members too. */
const descriptorsMax = 128;
const propertiesOffset = 8;
/** PropertyArray: map, length and hash. */
const propertyArrayHeader = 16;

/**
 * Null where the property says nothing of its own: it is V8's accessor for the name in the source, or
 * no string, or could not be read (a function with a dictionary of properties).
 */
export function ownName(heap: V8Heap, fn: Tagged): string | null {
  const { properties, types } = heap.v8;
  const map = heap.pointer(fn, 0);
  const found = map === null ? null : findDescriptor(heap, map);
  if (map === null || found === null) return null;
  const { details, stored } = found;
  if (heap.isType(stored, types.accessorInfo)) return null;
  if ((details & properties.kindMask) !== properties.kindData) return null;
  const isInDescriptor = (details & properties.inDescriptorMask) !== 0;
  return readString(heap, isInDescriptor ? stored : fieldValue(heap, fn, map, details));
}

/** What the map says of the property `name`; null when it has none. */
function findDescriptor(
  heap: V8Heap,
  map: Tagged,
): { readonly details: number; readonly stored: Tagged | null } | null {
  const { fields, properties } = heap.v8;
  const bits = heap.uint32(map, fields.mapBitField3);
  const descriptors = heap.pointer(map, fields.mapDescriptors);
  if (bits === null || descriptors === null) return null;
  if (((bits >>> properties.isDictionaryShift) & 1) !== 0) return null;
  const count = (bits & properties.ownCount.mask) >>> properties.ownCount.shift;
  for (let index = 0; index < Math.min(count, descriptorsMax); index++) {
    const at = fields.descriptors + 8 * properties.slots * index;
    const key = heap.pointer(descriptors, at + 8 * properties.keySlot);
    if (readString(heap, key, nameProperty.length + 1) !== nameProperty) continue;
    const details = heap.smi(descriptors, at + 8 * properties.detailsSlot);
    const stored = heap.pointer(descriptors, at + 8 * properties.valueSlot);
    return details === null ? null : { details, stored };
  }
  return null;
}

const nameProperty = "name";

/** In the object itself while there is room, else in its array of properties. */
function fieldValue(heap: V8Heap, object: Tagged, map: Tagged, details: number): Tagged | null {
  const { fields, properties } = heap.v8;
  const index = (details & properties.fieldIndex.mask) >>> properties.fieldIndex.shift;
  const words = heap.bytes(map, fields.mapSizeInWords, 1)?.readUInt8(0) ?? null;
  const start = heap.bytes(map, fields.mapInobjectStart, 1)?.readUInt8(0) ?? null;
  if (words === null || start === null || start > words) return null;
  const inside = words - start;
  if (index < inside) return heap.pointer(object, 8 * (start + index));
  const array = heap.pointer(object, propertiesOffset);
  return array === null ? null : heap.pointer(array, propertyArrayHeader + 8 * (index - inside));
}
