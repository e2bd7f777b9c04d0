// Builds small ELF images for tests: one executable segment, a .bss, and the symbol tables that are given.

export interface BuiltSymbol {
  readonly name: string;
  readonly value: number;
  readonly bytes: number;
  /** STT_OBJECT 1, STT_FUNC 2. */
  readonly type?: number;
  /** STB_LOCAL 0, STB_GLOBAL 1, STB_WEAK 2. */
  readonly binding?: number;
  /** 0 is undefined. */
  readonly section?: number;
}

export interface BuiltElf {
  readonly machine?: number;
  readonly symtab?: readonly BuiltSymbol[];
  readonly dynsym?: readonly BuiltSymbol[];
  /** Bytes at the start of the segment, which is loaded at 0x10000. */
  readonly content?: Buffer;
}

export const segmentVaddr = 0x10000;
/** The memory of the segment goes on behind its file bytes for so many. */
export const bssBytes = 32;

const headerBytes = 64;
const programHeaderBytes = 56;
const sectionNames = "\0.dynsym\0.dynstr\0.symtab\0.strtab\0.shstrtab\0";

export function buildElf(built: BuiltElf): Buffer {
  const content = built.content ?? Buffer.alloc(0);
  const contentAt = headerBytes + programHeaderBytes;
  const tables = [
    { name: ".dynsym", stringsName: ".dynstr", symbols: built.dynsym },
    { name: ".symtab", stringsName: ".strtab", symbols: built.symtab },
  ].filter(({ symbols }) => symbols !== undefined);
  const pieces: Buffer[] = [Buffer.alloc(contentAt), content];
  let end = contentAt + content.length;
  const sections: Buffer[] = [Buffer.alloc(64)];
  for (const { name, stringsName, symbols } of tables) {
    const table = symbolTable(symbols);
    const link = sections.length + 1;
    sections.push(section(name, 2, end, table.entries.length, link));
    sections.push(section(stringsName, 3, end + table.entries.length, table.strings.length, 0));
    pieces.push(table.entries, table.strings);
    end += table.entries.length + table.strings.length;
  }
  sections.push(section(".shstrtab", 3, end, sectionNames.length, 0));
  pieces.push(Buffer.from(sectionNames));
  end += sectionNames.length;
  const image = Buffer.concat([...pieces, ...sections]);
  writeHeader(image, built.machine ?? 62, end, sections.length);
  writeSegment(image, contentAt, content.length);
  return image;
}

function writeHeader(image: Buffer, machine: number, sectionsAt: number, sections: number): void {
  image.writeUInt32BE(0x7f454c46, 0);
  image.set([2, 1, 1], 4);
  image.writeUInt16LE(3, 16);
  image.writeUInt16LE(machine, 18);
  image.writeUInt32LE(headerBytes, 32);
  image.writeUInt32LE(sectionsAt, 40);
  image.writeUInt16LE(programHeaderBytes, 54);
  image.writeUInt16LE(1, 56);
  image.writeUInt16LE(64, 58);
  image.writeUInt16LE(sections, 60);
  image.writeUInt16LE(sections - 1, 62);
}

function writeSegment(image: Buffer, at: number, length: number): void {
  image.writeUInt32LE(1, headerBytes);
  image.writeUInt32LE(5, headerBytes + 4);
  image.writeUInt32LE(at, headerBytes + 8);
  image.writeUInt32LE(segmentVaddr, headerBytes + 16);
  image.writeUInt32LE(length, headerBytes + 32);
  image.writeUInt32LE(length + bssBytes, headerBytes + 40);
}

function section(name: string, type: number, at: number, length: number, link: number): Buffer {
  const header = Buffer.alloc(64);
  header.writeUInt32LE(sectionNames.indexOf(`\0${name}\0`) + 1, 0);
  header.writeUInt32LE(type, 4);
  header.writeUInt32LE(at, 24);
  header.writeUInt32LE(length, 32);
  header.writeUInt32LE(link, 40);
  return header;
}

function symbolTable(symbols: readonly BuiltSymbol[] = []): { entries: Buffer; strings: Buffer } {
  const strings: Buffer[] = [Buffer.from("\0")];
  const entries = symbols.map((symbol) => {
    const entry = Buffer.alloc(24);
    entry.writeUInt32LE(Buffer.concat(strings).length, 0);
    entry[4] = ((symbol.binding ?? 1) << 4) | (symbol.type ?? 2);
    entry.writeUInt16LE(symbol.section ?? 1, 6);
    entry.writeBigUInt64LE(BigInt(symbol.value), 8);
    entry.writeBigUInt64LE(BigInt(symbol.bytes), 16);
    strings.push(Buffer.from(`${symbol.name}\0`));
    return entry;
  });
  return { entries: Buffer.concat(entries), strings: Buffer.concat(strings) };
}
