// Makes a fresh clone ready and then runs a command of the project. Needs Node.js and nothing else:
//
//   node scripts/bootstrap.mjs                     install, build the native kernels, compile
//   node scripts/bootstrap.mjs install             install the dependencies only
//   node scripts/bootstrap.mjs demo [-- args]      make ready, then scripts/demo.mjs with the arguments
//   node scripts/bootstrap.mjs bench [-- args]     make ready, then scripts/bench/main.mjs with the arguments
//
// It says in one line what it does, says nothing when nothing is to do, and may run several times at once.
// This file keeps to syntax that old versions of Node.js parse, so that they get the message below.

const MINIMUM = [20, 19];

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < MINIMUM[0] || (major === MINIMUM[0] && minor < MINIMUM[1])) {
  console.error(
    `maxsim needs Node.js ${MINIMUM.join(".")} or newer, found ${process.versions.node} (${process.execPath}).`,
  );
  process.exit(1);
}

const { bootstrap } = await import("./lib/bootstrap.mjs");
process.exitCode = await bootstrap(process.argv.slice(2));
