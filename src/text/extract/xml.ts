/**
 * Elements of small XML files, read with the tokenizer of HTML: a document type declaration is passed over, so entities that a
 * file defines are never expanded.
 */
import { type Token, type TokenHandler, Tokenizer } from "parse5";
import { UnreadableFile } from "../unreadable.js";

export interface XmlElement {
  /** Lower case, without the prefix of its namespace. */
  readonly name: string;
  /** By name as it stands, in lower case. */
  readonly attributes: ReadonlyMap<string, string>;
  /** Text that stands in it, but not in an element inside. */
  text: string;
  /** Names of the elements that it lies in, the outermost first. */
  readonly path: readonly string[];
}

const MAX_DEPTH = 100;
const MAX_ELEMENTS = 500_000;

/** All elements in the order of their start tags. Errors: UnreadableFile naming the file. */
export function readXml(source: string, name: string): XmlElement[] {
  const reader = new XmlReader(name);
  const tokenizer = new Tokenizer({ sourceCodeLocationInfo: false }, reader);
  // Lets CDATA sections be text.
  tokenizer.inForeignNode = true;
  tokenizer.write(source, true);
  return reader.elements;
}

class XmlReader implements TokenHandler {
  readonly elements: XmlElement[] = [];
  private readonly open: XmlElement[] = [];

  constructor(private readonly file: string) {}

  onStartTag(token: Token.TagToken): void {
    if (this.open.length >= MAX_DEPTH || this.elements.length >= MAX_ELEMENTS) {
      throw new UnreadableFile(`${this.file} has too many elements, or nests them too deep`);
    }
    const element: XmlElement = {
      name: localName(token.tagName),
      attributes: new Map(token.attrs.map((attribute) => [attribute.name, attribute.value])),
      text: "",
      path: this.open.map((outer) => outer.name),
    };
    this.elements.push(element);
    if (!token.selfClosing) this.open.push(element);
  }

  onEndTag(token: Token.TagToken): void {
    const name = localName(token.tagName);
    const at = this.open.findLastIndex((element) => element.name === name);
    if (at >= 0) this.open.length = at;
  }

  onCharacter(token: Token.CharacterToken): void {
    const element = this.open.at(-1);
    if (element !== undefined) element.text += token.chars;
  }

  onWhitespaceCharacter(token: Token.CharacterToken): void {
    this.onCharacter(token);
  }

  onNullCharacter(): void {}
  onDoctype(): void {}
  onComment(): void {}
  onEof(): void {}
}

function localName(name: string): string {
  return name.slice(name.indexOf(":") + 1);
}
