/** Small PDF files, written by hand: text in lines, and encryption by the oldest of its standards (RC4 with 40 bits). */
import { createHash } from "node:crypto";

export interface PdfLine {
  readonly text: string;
  /** Height of the font in points; default 12. */
  readonly size?: number;
  /** Points to the line before it; default 14. */
  readonly gap?: number;
}

export interface PdfOptions {
  readonly title?: string;
  readonly author?: string;
  /** What a reader has to know; without it the file is not encrypted. */
  readonly password?: string;
}

/** A PDF of the pages, each a list of lines from the top. */
export function pdfFile(
  pages: readonly (readonly (string | PdfLine)[])[],
  options: PdfOptions = {},
): Uint8Array<ArrayBuffer> {
  const objects: string[] = [];
  const add = (body: string): number => objects.push(body);
  const id = createHash("md5").update("test").digest();
  const encryption = options.password === undefined ? undefined : new Encryption(options.password, id);
  const string = (text: string, object: number): string => {
    const bytes = Buffer.from(text, "latin1");
    return `<${(encryption?.encrypt(bytes, object) ?? bytes).toString("hex")}>`;
  };
  const catalog = add("<< /Type /Catalog /Pages 2 0 R >>");
  add("");
  const font = add("<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica /Encoding /WinAnsiEncoding >>");
  const kids = pages.map((lines) => {
    const object = objects.length + 1;
    const plain = Buffer.from(pageContent(lines), "latin1");
    const content = (encryption?.encrypt(plain, object) ?? plain).toString("latin1");
    add(`<< /Length ${content.length} >>\nstream\n${content}\nendstream`);
    return add(
      `<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents ${object} 0 R ` +
        `/Resources << /Font << /F1 ${font} 0 R >> >> >>`,
    );
  });
  objects[1] = `<< /Type /Pages /Count ${kids.length} /Kids [${kids.map((kid) => `${kid} 0 R`).join(" ")}] >>`;
  const info = objects.length + 1;
  add(`<< /Title ${string(options.title ?? "", info)} /Author ${string(options.author ?? "", info)} >>`);
  const encrypt = encryption === undefined ? undefined : add(encryption.dictionary());
  const trailer =
    `<< /Size ${objects.length + 1} /Root ${catalog} 0 R /Info ${info} 0 R` +
    `${encrypt === undefined ? "" : ` /Encrypt ${encrypt} 0 R`} /ID [<${id.toString("hex")}> <${id.toString("hex")}>] >>`;
  return assemble(objects, trailer);
}

function pageContent(lines: readonly (string | PdfLine)[]): string {
  let y = 740;
  const shown = lines.map((line) => {
    const { text, size = 12, gap = 14 } = typeof line === "string" ? { text: line } : line;
    y -= gap;
    return `/F1 ${size} Tf 1 0 0 1 72 ${y} Tm <${Buffer.from(text, "latin1").toString("hex")}> Tj`;
  });
  return `BT ${shown.join("\n")} ET`;
}

function assemble(objects: readonly string[], trailer: string): Uint8Array<ArrayBuffer> {
  let out = "%PDF-1.4\n%\xe2\xe3\xcf\xd3\n";
  const offsets = objects.map((body, i) => {
    const at = out.length;
    out += `${i + 1} 0 obj\n${body}\nendobj\n`;
    return at;
  });
  const table = offsets.map((offset) => `${String(offset).padStart(10, "0")} 00000 n \n`).join("");
  const end = `xref\n0 ${objects.length + 1}\n0000000000 65535 f \n${table}trailer\n${trailer}\nstartxref\n${out.length}\n%%EOF\n`;
  return Uint8Array.from(Buffer.from(out + end, "latin1"));
}

/** The standard security handler, revision 2 (PDF 1.4, section 3.5). */
class Encryption {
  private static readonly padding = Buffer.from(
    "28bf4e5e4e758a4164004e56fffa01082e2e00b6d0683e802f0ca9fe6453697a",
    "hex",
  );
  private readonly owner: Buffer;
  private readonly key: Buffer;

  constructor(password: string, id: Buffer) {
    const padded = Buffer.concat([Buffer.from(password, "latin1"), Encryption.padding]).subarray(0, 32);
    this.owner = rc4(md5(padded).subarray(0, 5), padded);
    const permissions = Buffer.alloc(4);
    permissions.writeInt32LE(-4);
    this.key = md5(padded, this.owner, permissions, id).subarray(0, 5);
  }

  dictionary(): string {
    const user = rc4(this.key, Encryption.padding).toString("hex");
    return `<< /Filter /Standard /V 1 /R 2 /O <${this.owner.toString("hex")}> /U <${user}> /P -4 >>`;
  }

  encrypt(bytes: Buffer, object: number): Buffer {
    const number = Buffer.from([object & 255, (object >> 8) & 255, (object >> 16) & 255, 0, 0]);
    return rc4(md5(this.key, number).subarray(0, 10), bytes);
  }
}

function md5(...parts: readonly Buffer[]): Buffer {
  const hash = createHash("md5");
  for (const part of parts) hash.update(part);
  return hash.digest();
}

function rc4(key: Buffer, bytes: Buffer): Buffer {
  const state = Uint8Array.from({ length: 256 }, (_, i) => i);
  const swap = (a: number, b: number): void => {
    const held = state[a]!;
    state[a] = state[b]!;
    state[b] = held;
  };
  for (let i = 0, j = 0; i < 256; i++) {
    j = (j + state[i]! + key[i % key.length]!) & 255;
    swap(i, j);
  }
  const out = Buffer.alloc(bytes.length);
  for (let n = 0, i = 0, j = 0; n < bytes.length; n++) {
    i = (i + 1) & 255;
    j = (j + state[i]!) & 255;
    swap(i, j);
    out[n] = bytes[n]! ^ state[(state[i]! + state[j]!) & 255]!;
  }
  return out;
}
