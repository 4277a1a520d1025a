#!/usr/bin/env node
// Benchmarks of a built checkout: npm run bench -- --help

import { benchCommand } from "./lib/command.mjs";

process.exitCode = await benchCommand(process.argv.slice(2));
