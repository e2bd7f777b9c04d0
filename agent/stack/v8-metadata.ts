// The facts about this V8 build that a reader of its heap and stack needs: the v8dbg_* integers that
// node exports for post-mortem debuggers (tools/gen-postmortem-metadata.py in V8's source), completed
// from v8-versions.ts. Watchdog thread; read once at start. What is missing is refused by name.

import { fail, type Result, succeed } from "../model/result";
import type { ElfFile } from "./elf";
import { type Constants, readConstants } from "./v8-constants";
import { knownV8Versions, layoutOf, type V8Layout } from "./v8-versions";

/** Offsets are bytes from the start of the object; frame offsets are bytes from the frame pointer. */
export interface V8Metadata {
  /** process.versions.v8. */
  readonly version: string;
  /** The ELF file that holds V8's builtins: node itself, or libnode.so. */
  readonly elfPath: string;
  readonly machine: "x64" | "arm64";
  readonly layout: V8Layout;
  readonly frame: {
    readonly context: number;
    readonly function: number;
    readonly bytecodeArray: number;
    readonly bytecodeOffset: number;
    readonly receiver: number;
    /** Where a frame of type entry keeps the exit frame of the JavaScript below it on the stack. */
    readonly entryCEntryFp: number;
  };
  readonly frameTypes: {
    readonly entry: readonly number[];
    readonly exit: readonly number[];
    readonly builtinExit: readonly number[];
    readonly apiCallbackExit: readonly number[];
    readonly construct: readonly number[];
  };
  readonly types: {
    readonly firstNonstring: number;
    readonly firstJsFunction: number;
    readonly lastJsFunction: number;
    readonly sharedFunctionInfo: number;
    readonly sharedFunctionInfoWrapper: number | null;
    readonly script: number;
    readonly scopeInfo: number;
    readonly bytecodeArray: number;
    readonly code: number;
    readonly instructionStream: number;
    readonly fixedArray: number;
    /** ByteArray, and TrustedByteArray where it exists. */
    readonly byteArrays: readonly number[];
    readonly map: number;
    readonly accessorInfo: number;
  };
  /** PropertyDetails in a descriptor, and where Map::bit_field3 says how many there are. */
  readonly properties: {
    readonly keySlot: number;
    readonly detailsSlot: number;
    readonly valueSlot: number;
    readonly slots: number;
    readonly kindMask: number;
    readonly kindData: number;
    readonly inDescriptorMask: number;
    readonly fieldIndex: { readonly mask: number; readonly shift: number };
    readonly ownCount: { readonly mask: number; readonly shift: number };
    readonly isDictionaryShift: number;
  };
  readonly strings: {
    readonly encodingMask: number;
    readonly oneByteTag: number;
    readonly representationMask: number;
    readonly consTag: number;
    readonly externalTag: number;
    readonly slicedTag: number;
    readonly thinTag: number;
    readonly length: number;
    readonly consFirst: number;
    readonly consSecond: number;
    readonly slicedParent: number;
    readonly slicedOffset: number;
    readonly thinActual: number;
    readonly externalResource: number;
    readonly chars: number;
  };
  readonly fields: {
    readonly mapInstanceType: number;
    readonly mapBitField2: number;
    readonly mapBitField3: number;
    readonly mapConstructor: number;
    readonly mapInobjectStart: number;
    readonly mapSizeInWords: number;
    readonly mapDescriptors: number;
    readonly descriptors: number;
    readonly functionShared: number;
    readonly sharedNameOrScope: number;
    readonly sharedScript: number;
    readonly sharedFlags: number;
    readonly scriptName: number;
    readonly scriptSource: number;
    readonly scriptLineEnds: number;
    readonly scriptEvalFromShared: number;
    readonly scriptEvalFromPosition: number;
    readonly arrayLength: number;
    readonly arrayData: number;
    readonly bytecodeLength: number;
    readonly bytecodeData: number;
    readonly instructionStreamStart: number;
  };
  readonly codeKinds: { readonly mask: number; readonly baseline: number };
  readonly deoptIndex: {
    readonly literals: number;
    readonly sharedFunctionInfo: number;
    readonly inliningPositions: number;
  };
  readonly scopeFirstVariable: number;
  /**
   * Bytes of each bytecode, three rows (operands single, double, quadruple), from the table V8 itself
   * uses (src/interpreter/bytecodes.h kBytecodeSizes); null in a binary without .symtab.
   */
  readonly bytecodeSizes: Buffer | null;
}

const bytecodeSizesSymbol = "_ZN2v88internal11interpreter9Bytecodes14kBytecodeSizesE";
/** V8 14.6 has 212 bytecodes, and one byte numbers them. */
const bytecodesMax = 256;

/**
 * Reads the metadata from `elf`, the running binary (process.execPath, or libnode.so where V8 is a
 * shared library). Fails `unsupported` on a V8 version that is not in the table, on a missing constant,
 * and when a constant is not what this version has elsewhere: `detail` names it.
 */
export function loadV8Metadata(
  elf: ElfFile,
  version: string = process.versions.v8,
): Result<V8Metadata> {
  const layout = layoutOf(version);
  if (layout === null) {
    return fail("unsupported", `V8 ${version} is not one of ${knownV8Versions.join(", ")}`);
  }
  const read = readConstants(elf);
  if (!read.ok) return read;
  const constants = read.value;
  const metadata = assemble(constants, layout, elf, version);
  if (constants.missing.length > 0) {
    return fail("unsupported", `V8 ${version} lacks v8dbg_ ${constants.missing.join(", ")}`);
  }
  const surprise = findSurprise(constants, layout);
  return surprise === null ? succeed(metadata) : fail("unsupported", `V8 ${version}: ${surprise}`);
}

/** Pointer compression, other Smi sizes and other builds of the version show up here. */
function findSurprise(constants: Constants, layout: V8Layout): string | null {
  const everywhere = {
    TaggedSize: 8,
    HeapObjectTag: 1,
    SmiTag: 0,
    SmiTagMask: 1,
    SmiShiftSize: 31,
    SmiValueShift: 1,
    off_fp_function: -16,
    class_Map__instance_type__uint16_t: 12,
    class_String__length__int32_t: 12,
  };
  for (const [name, expected] of Object.entries({ ...everywhere, ...layout.expected })) {
    const found = constants.find(name);
    if (found !== expected) return `v8dbg_${name} is ${found}, not ${expected}`;
  }
  return null;
}

function assemble(
  constants: Constants,
  layout: V8Layout,
  elf: ElfFile,
  version: string,
): V8Metadata {
  return {
    version,
    elfPath: elf.path,
    machine: elf.machine,
    layout,
    frame: {
      context: constants.need("off_fp_context_or_frame_type"),
      function: constants.need("off_fp_function"),
      bytecodeArray: constants.need("off_fp_bytecode_array"),
      bytecodeOffset: constants.need("off_fp_bytecode_offset"),
      receiver: constants.need("off_fp_args"),
      // EntryFrameConstants::kNextExitFrameFPOffset: src/execution/x64/frame-constants-x64.h (three
      // slots and five callee-saved registers), src/execution/arm64/frame-constants-arm64.h.
      entryCEntryFp: elf.machine === "x64" ? -64 : -24,
    },
    frameTypes: {
      entry: [
        constants.need("frametype_EntryFrame"),
        constants.need("frametype_ConstructEntryFrame"),
      ],
      exit: [constants.need("frametype_ExitFrame")],
      builtinExit: [constants.need("frametype_BuiltinExitFrame")],
      apiCallbackExit: constants.present(
        "frametype_ApiCallbackExitFrame",
        "frametype_ApiConstructExitFrame",
        "frametype_ApiAccessorExitFrame",
        "frametype_ApiNamedAccessorExitFrame",
        "frametype_ApiIndexedAccessorExitFrame",
      ),
      construct: constants.present("frametype_ConstructFrame", "frametype_FastConstructFrame"),
    },
    types: typesFrom(constants, layout),
    properties: propertiesFrom(constants),
    strings: stringsFrom(constants),
    fields: fieldsFrom(constants),
    codeKinds: {
      mask: constants.need("CodeKindFieldMask"),
      baseline: constants.need("CodeKindBaseline"),
    },
    deoptIndex: {
      literals: constants.need("DeoptimizationDataLiteralArrayIndex"),
      sharedFunctionInfo: constants.need(
        "DeoptimizationDataSharedFunctionInfoIndex",
        "DeoptimizationDataWrappedSharedFunctionInfoIndex",
      ),
      inliningPositions: constants.need("DeoptimizationDataInliningPositionsIndex"),
    },
    scopeFirstVariable: constants.need("scopeinfo_idx_first_vars"),
    bytecodeSizes: readBytecodeSizes(elf),
  };
}

function typesFrom(constants: Constants, layout: V8Layout): V8Metadata["types"] {
  return {
    firstNonstring: constants.need("FirstNonstringType"),
    firstJsFunction: constants.need("type_JSFunction__JS_FUNCTION_TYPE"),
    lastJsFunction: constants.find("LastJSFunctionType") ?? layout.lastJsFunctionType,
    sharedFunctionInfo: constants.need("type_SharedFunctionInfo__SHARED_FUNCTION_INFO_TYPE"),
    sharedFunctionInfoWrapper: constants.find("type_SharedFunctionInfoWrapper__"),
    script: constants.need("type_Script__SCRIPT_TYPE"),
    scopeInfo: constants.need("type_ScopeInfo__SCOPE_INFO_TYPE"),
    bytecodeArray: constants.need("type_BytecodeArray__BYTECODE_ARRAY_TYPE"),
    code: constants.need("type_Code__CODE_TYPE"),
    instructionStream: constants.need("type_InstructionStream__INSTRUCTION_STREAM_TYPE"),
    fixedArray: constants.need("type_FixedArray__FIXED_ARRAY_TYPE"),
    byteArrays: [
      constants.need("type_ByteArray__BYTE_ARRAY_TYPE"),
      ...constants.present("type_TrustedByteArray__"),
    ],
    map: constants.need("type_Map__MAP_TYPE"),
    accessorInfo: constants.need("type_AccessorInfo__ACCESSOR_INFO_TYPE"),
  };
}

function propertiesFrom(constants: Constants): V8Metadata["properties"] {
  return {
    keySlot: constants.need("prop_desc_key"),
    detailsSlot: constants.need("prop_desc_details"),
    valueSlot: constants.need("prop_desc_value"),
    slots: constants.need("prop_desc_size"),
    kindMask: constants.need("prop_kind_mask"),
    kindData: constants.need("prop_kind_Data"),
    inDescriptorMask: constants.need("prop_location_mask"),
    fieldIndex: {
      mask: constants.need("prop_index_mask"),
      shift: constants.need("prop_index_shift"),
    },
    ownCount: {
      mask: constants.need("bit_field3_number_of_own_descriptors_mask"),
      shift: constants.need("bit_field3_number_of_own_descriptors_shift"),
    },
    isDictionaryShift: constants.need("bit_field3_is_dictionary_map_shift"),
  };
}

function stringsFrom(constants: Constants): V8Metadata["strings"] {
  return {
    encodingMask: constants.need("StringEncodingMask"),
    oneByteTag: constants.need("OneByteStringTag"),
    representationMask: constants.need("StringRepresentationMask"),
    consTag: constants.need("ConsStringTag"),
    externalTag: constants.need("ExternalStringTag"),
    slicedTag: constants.need("SlicedStringTag"),
    thinTag: constants.need("ThinStringTag"),
    length: constants.need("class_String__length__int32_t"),
    consFirst: constants.need("class_ConsString__first__"),
    consSecond: constants.need("class_ConsString__second__"),
    slicedParent: constants.need("class_SlicedString__parent__"),
    slicedOffset: constants.need("class_SlicedString__offset__"),
    thinActual: constants.need("class_ThinString__actual__"),
    externalResource: constants.need("class_ExternalString__resource__"),
    chars: constants.need("class_SeqOneByteString__chars__"),
  };
}

function fieldsFrom(constants: Constants): V8Metadata["fields"] {
  const script = "class_Script__";
  return {
    mapInstanceType: constants.need("class_Map__instance_type__"),
    mapBitField2: constants.need("class_Map__bit_field2__"),
    mapBitField3: constants.need("class_Map__bit_field3__"),
    mapConstructor: constants.need("class_Map__constructor_or_back_pointer__"),
    mapInobjectStart: constants.need(
      "class_Map__inobject_properties_start_or_constructor_function_index__",
    ),
    mapSizeInWords: constants.need("class_Map__instance_size_in_words__"),
    mapDescriptors: constants.need("class_Map__instance_descriptors__"),
    descriptors: constants.need("class_DescriptorArray__header_size__"),
    functionShared: constants.need("class_JSFunction__shared__"),
    sharedNameOrScope: constants.need("class_SharedFunctionInfo__name_or_scope_info__"),
    sharedScript: constants.need(
      "class_SharedFunctionInfo__script__",
      "class_SharedFunctionInfo__script_or_debug_info__",
    ),
    sharedFlags: constants.need("class_SharedFunctionInfo__flags__"),
    scriptName: constants.need(`${script}name__`),
    scriptSource: constants.need(`${script}source__`),
    scriptLineEnds: constants.need(`${script}line_ends__`),
    scriptEvalFromShared: constants.need(`${script}eval_from_shared_or_wrapped_arguments__`),
    scriptEvalFromPosition: constants.need(`${script}eval_from_position__`),
    arrayLength: constants.need("class_FixedArrayBase__length__"),
    arrayData: constants.need("class_FixedArray__data__"),
    // BytecodeArray is a FixedArrayBase: Node 20 does not list the length again.
    bytecodeLength: constants.need(
      "class_BytecodeArray__length__",
      "class_FixedArrayBase__length__",
    ),
    bytecodeData: constants.need("class_BytecodeArray__data__"),
    instructionStreamStart: constants.need("class_InstructionStream__instruction_start__"),
  };
}

function readBytecodeSizes(elf: ElfFile): Buffer | null {
  const found = elf.symbolsWithPrefix(bytecodeSizesSymbol);
  const symbol = found.ok ? found.value[0] : undefined;
  if (symbol === undefined) return null;
  if (symbol.bytes % 3 !== 0 || symbol.bytes / 3 > bytecodesMax) return null;
  const sizes = elf.readAt(symbol.vaddr, symbol.bytes);
  return sizes.ok ? sizes.value : null;
}
