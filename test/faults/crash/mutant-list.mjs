/**
 * Damaged copies of the package: each loses one of the precautions of a commit, and one of the rigs must notice. A patch
 * replaces text that must occur exactly once in dist/. `rule`: part of what the audit of the order of calls must say.
 * `kill`: the scenario in which C1 looks for it when the order of calls does not show it, and `says`: part of what C1 must
 * find then. `power`: power cuts are tried on it as well.
 */
export const MUTANTS = [
  {
    name: "files are not synced",
    rule: "gets its name before its bytes are synced",
    power: true,
    patches: [{ file: "storage/node-file-system.js", find: "await this.handle.sync();", replace: "" }],
  },
  {
    name: "folders are not synced",
    rule: "the commit is synced before the name of a",
    power: true,
    patches: [{ file: "storage/node-file-system.js", find: "await handle.sync();", replace: "" }],
  },
  {
    name: "a file gets its name before it is synced",
    rule: "gets its name before its bytes are synced",
    patches: [
      { file: "storage/section-writer.js", find: "await this.file.sync();", replace: "" },
      {
        file: "storage/section-writer.js",
        find: "this.published = true;",
        replace: `this.published = true;
        const late = await (await import("node:fs/promises")).open(join(this.indexFolder, name), "r+");
        await late.sync();
        await late.close();`,
      },
    ],
  },
  {
    name: "a published file is written to",
    rule: "is changed after it got its name",
    patches: [
      {
        file: "storage/section-writer.js",
        find: "this.published = true;",
        replace: `this.published = true;
        const again = await (await import("node:fs/promises")).open(join(this.indexFolder, name), "r+");
        await again.write(Uint8Array.of(0x8d), 0, 1, 0);
        await again.sync();
        await again.close();`,
      },
    ],
  },
  {
    name: "the commit comes before the files have names",
    rule: "before the name of a",
    kill: "first add",
    says: "",
    patches: [
      {
        file: "storage/section-writer.js",
        find: "await publishFile(this.fs, this.path, join(this.indexFolder, name), found.sha256);",
        replace: `const late = publishFile;
        setTimeout(() => late(this.fs, this.path, join(this.indexFolder, name), found.sha256), 100);`,
      },
      {
        file: "engine/snapshots.js",
        find: "const held = await holdNewest(this.folder, this.catalog, previous, this.mapper);",
        replace: `await new Promise((resolve) => setTimeout(resolve, 200));
            const held = await holdNewest(this.folder, this.catalog, previous, this.mapper);`,
      },
    ],
  },
  {
    name: "SQLite does not sync",
    rule: "the log is emptied before the catalog is synced",
    power: true,
    patches: [
      {
        file: "documents/connection.js",
        find: 'setPragma(db, "synchronous", "FULL", 2);',
        replace: 'setPragma(db, "synchronous", "OFF", 0);',
      },
    ],
  },
  {
    name: "it is acknowledged before the commit",
    rule: "it is acknowledged without a sync",
    kill: "first add",
    says: "",
    patches: [
      {
        file: "engine/index.js",
        find: "return addVectors(context, dim, documents, options);",
        replace: `const late = addVectors(context, dim, documents, options);
            late.catch(() => undefined);
            return { generation: this.snapshots.newest.catalog.generation + 1 };`,
      },
    ],
  },
  {
    name: "leftovers of a crash stay",
    kill: "add",
    says: ".tmp",
    patches: [{ file: "documents/garbage.js", find: "await fs.unlink(join(folder, name));", replace: "" }],
  },
];
