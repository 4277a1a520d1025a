/** A codec for another thread. One that lies in a file is not copied. */
import type { Codebook, ResidualQuantizer } from "../kernels/backend.js";
import type { FileMapper } from "../storage/file-mapper.js";
import type { SectionFileDescription } from "../storage/section-file.js";
import { attachSectionFile } from "../storage/section-reader.js";
import { Codec } from "./codec.js";
import { viewCodecFile } from "./codec-file.js";
import { type TokenGroup, TokenGroups } from "./token-groups.js";

/** Plain data that survives structured cloning. */
export type CodecDescription =
  | { readonly kind: "file"; readonly file: SectionFileDescription }
  | {
      readonly kind: "memory";
      readonly codebook: Codebook;
      readonly quantizer: ResidualQuantizer;
      readonly groups: readonly TokenGroup[];
    };

export function describeCodec({ file, codebook, quantizer, tokenGroups }: Codec): CodecDescription {
  if (file !== null) return { kind: "file", file: file.describe() };
  return { kind: "memory", codebook, quantizer, groups: tokenGroups.groups };
}

/** The codec that another thread described, over the same memory. Errors: as `attachSectionFile`. */
export function attachCodec(description: CodecDescription, mapper: FileMapper | undefined): Codec {
  if (description.kind === "file") return viewCodecFile(attachSectionFile(description.file, mapper));
  const { codebook, quantizer, groups } = description;
  return new Codec(codebook, quantizer, new TokenGroups(groups));
}
