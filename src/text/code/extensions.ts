/** Extensions, without the dot, of files that are read as code or configuration. */
export const CODE_EXTENSIONS: ReadonlySet<string> = new Set(
  (
    "js mjs cjs jsx ts mts cts tsx py pyi pyw rb rake go rs c h cc cpp cxx hh hpp hxx cu cuh java kt kts scala swift cs fs " +
    "php pl pm lua r jl hs ml mli ex exs erl clj dart zig nim sh bash zsh ksh fish ps1 sql proto graphql css scss less " +
    "vue svelte json jsonc json5 yaml yml toml ini cfg conf xml cmake gradle mk tf nix"
  ).split(" "),
);
