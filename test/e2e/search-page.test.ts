/** The page of `maxsim search --html`, looked at in a browser. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { contrast } from "../../src/cli/render/page/palette.js";
import { type Browser, noBrowser, startBrowser } from "../support/browser.js";
import { jsonLines, maxsim, nameOrReason, writeFiles } from "../support/cli.js";
import { NOTES } from "../support/notes.js";
import { tempFolder } from "../support/temp-folder.js";

const cwd = tempFolder();
const QUERY = 'how do I <b>repair</b> a "flat" tyre?';
const HOSTILE = '<script>window.hacked=1</script><img src=x onerror="window.hacked=1">';
const file = join(cwd, "why.html");
const url = pathToFileURL(file).href;

let browser: Browser;

beforeAll(async () => {
  if (noBrowser !== undefined) return;
  writeFiles(cwd, {
    "notes.jsonl": jsonLines([
      ...NOTES,
      {
        id: 'hostile"><script>window.hacked=1</script>',
        title: `Repair ${HOSTILE} 🚲 إصلاح`,
        url: "javascript:window.hacked=1",
        text: `How to repair a flat tyre ${HOSTILE} </style></script> 検索エンジン إصلاح الإطار 👩‍👩‍👧 ${"and so on ".repeat(60)}`,
      },
    ]),
  });
  expect(await maxsim(["index", "notes.jsonl"], { cwd })).toMatchObject({ status: 0 });
  const { status, stdout, stderr } = await maxsim(
    ["search", QUERY, "--plain", "-k", "5", "--html", "why.html"],
    { cwd },
  );
  expect({ status, stderr }).toMatchObject({
    status: 0,
    stderr: expect.stringContaining("page written to why.html\n"),
  });
  // The page is written beside what is shown, and explains; the terminal does not without --explain.
  expect(stdout).toMatch(/^1 {2}/);
  expect(stdout).not.toContain("plan:");
  browser = await startBrowser();
});

afterAll(async () => browser?.close());

/** What the tests use of the DOM; the project is compiled without the types of browsers. */
interface PageElement {
  readonly parentElement: PageElement;
  readonly ownerDocument: {
    readonly defaultView: {
      getComputedStyle(element: PageElement): { readonly color: string; readonly backgroundColor: string };
    };
  };
  readonly scrollWidth: number;
  readonly clientWidth: number;
  readonly scrollHeight: number;
  readonly clientHeight: number;
}

async function contrastOf(found: Locator): Promise<number> {
  const [text, back] = await found.evaluate((element: PageElement) => {
    const { defaultView } = element.ownerDocument;
    const background = (at: PageElement): string => {
      const color = defaultView.getComputedStyle(at).backgroundColor;
      return color === "rgba(0, 0, 0, 0)" ? background(at.parentElement) : color;
    };
    return [defaultView.getComputedStyle(element).color, background(element)] as const;
  });
  return contrast(hex(text), hex(back));
}

function hex(color: string): string {
  const channels = [...color.matchAll(/\d+/g)].slice(0, 3);
  return `#${channels.map(([value]) => Number(value).toString(16).padStart(2, "0")).join("")}`;
}

const visible = async (found: Locator): Promise<number> => found.filter({ visible: true }).count();

const PAGE_WIDTH = "document.documentElement.scrollWidth";
/** Text of each cell, and whether it is outlined, row by row. */
const FIRST_MAP = `[...document.querySelectorAll("article:first-of-type .map tbody tr")].map((row) =>
  [...row.querySelectorAll("td")].map((cell) => [cell.textContent.trim(), cell.matches(".c")]))`;

const cells = (page: Page): Locator => page.locator("article:first-of-type .map tbody tr:not(.x) td");

describe.skipIf(noBrowser)(nameOrReason("the page", noBrowser), () => {
  it("shows query, hits and heat maps, and runs nothing but its own script", async () => {
    const { page, problems } = await browser.open(url);
    expect(await page.title()).toContain(QUERY);
    expect(await page.locator("h1").textContent()).toBe(QUERY);
    expect(await page.locator("article").count()).toBe(5);
    const title = await page.locator("h2", { hasText: "Repair <script>" }).textContent();
    expect(title).toBe(`Repair ${HOSTILE} 🚲 إصلاح`);
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    expect(await page.locator("img, iframe, link").count()).toBe(0);
    expect(await page.locator('a[href^="javascript"]').count()).toBe(0);
    expect(problems).toEqual([]);
    // A script that got into the page would be refused by its policy.
    await page.evaluate(
      'const added = document.createElement("script"); added.textContent = "window.hacked = 2"; document.body.append(added)',
    );
    expect(await page.evaluate("window.hacked")).toBeUndefined();
    expect(problems.join()).toMatch(/Content Security Policy/i);
  });

  it("has the similarities of the search, one outlined cell a row", async () => {
    const json = await maxsim(["search", QUERY, "--plain", "-k", "1", "--explain", "--json"], { cwd });
    const { matches } = JSON.parse(json.stdout).hits[0];
    const { page } = await browser.open(url);
    const map = (await page.evaluate(FIRST_MAP)) as Array<Array<[text: string, chosen: boolean]>>;
    const shown = map.map((row) => row.map(([text]) => Number(text.replace("\u2212", "-")) / 100));
    expect(shown).toHaveLength(matches.query.length);
    for (const [i, row] of shown.entries()) {
      expect(row).toHaveLength(matches.passage.length);
      row.forEach((value, j) => {
        expect(Math.abs(value - matches.similarities[i][j])).toBeLessThan(0.0051);
      });
    }
    const chosen = map.map((row) => row.flatMap(([, outlined], j) => (outlined ? [j] : [])));
    expect(chosen).toEqual(matches.choices.map(({ passage }: { passage: number }) => [passage]));
    expect(await page.locator("article:first-of-type .sum").textContent()).toContain(
      (await page.locator("article:first-of-type .score").textContent())!,
    );
  });

  it("names the pair under the pointer, and with the arrow keys", async () => {
    const { page, problems } = await browser.open(url);
    const tip = page.locator("#tip");
    await expect.poll(() => tip.isVisible()).toBe(false);
    const chosen = page.locator("article:first-of-type .map tbody tr:not(.x) td.c").first();
    await chosen.hover();
    const said = (await tip.textContent())!;
    const percent = (await chosen.textContent())!.trim();
    expect(said).toMatch(/^\S+ → \S+ -?\d\.\d\d chosen$/);
    expect(said).toContain((Number(percent) / 100).toFixed(2));
    expect(await page.locator(".map th.on").count()).toBe(2);
    await page.mouse.move(0, 0);
    expect(await tip.isVisible()).toBe(false);
    // One cell of a table takes part in the order of Tab.
    expect(await page.locator('article:first-of-type td[tabindex="0"]').count()).toBe(1);
    await page.locator('article:first-of-type td[tabindex="0"]').focus();
    const first = await tip.textContent();
    await page.keyboard.press("ArrowDown");
    const below = await tip.textContent();
    await page.keyboard.press("ArrowUp");
    expect(await tip.textContent()).toBe(first);
    expect(below).not.toBe(first);
    await page.keyboard.press("Home");
    for (let i = 0; i < 3; i++) await page.keyboard.press("ArrowLeft");
    expect(await page.evaluate("document.activeElement.cellIndex")).toBe(1);
    await page.keyboard.press("End");
    await page.keyboard.press("ArrowRight");
    const box = (await page.locator("td:focus").boundingBox())!;
    expect(box.x + box.width).toBeLessThanOrEqual(1280);
    await page.keyboard.press("Escape");
    expect(await tip.isVisible()).toBe(false);
    const mark = page.locator("article:first-of-type .text mark").first();
    await mark.hover();
    expect(await tip.textContent()).toMatch(/^chosen by \S+ \d\.\d\d/);
    expect(problems).toEqual([]);
  });

  it("folds special tokens and unmatched columns by check boxes, without scripts", async () => {
    const { page } = await browser.open(url, { scripts: false });
    const hidden = page.locator("article:first-of-type .map tr.x").first();
    expect(await hidden.isVisible()).toBe(false);
    await page.locator("#special").check();
    expect(await hidden.isVisible()).toBe(true);
    await page.locator("#special").uncheck();
    const all = await visible(cells(page));
    await page.locator("#only").check();
    const only = await visible(cells(page));
    expect(only).toBeGreaterThan(0);
    expect(only).toBeLessThan(all);
    expect(await page.locator("article:first-of-type .map tr:not(.x) td.c").first().isVisible()).toBe(true);
    const second = page.locator("article:nth-of-type(2) .map");
    expect(await second.isVisible()).toBe(false);
    await page.locator("article:nth-of-type(2) summary").click();
    expect(await second.isVisible()).toBe(true);
  });

  it("fits a phone: only heat maps scroll sideways", async () => {
    const { page } = await browser.open(url, { width: 390, height: 844 });
    await page.evaluate('for (const one of document.querySelectorAll("details")) one.open = true');
    await page.locator("#special").check();
    expect(await page.evaluate(PAGE_WIDTH)).toBeLessThanOrEqual(390);
    const wide = page.locator("article", { hasText: "and so on" }).locator(".map");
    const [inner, outer] = await wide.evaluate((map: PageElement) => [map.scrollWidth, map.clientWidth]);
    expect(inner!).toBeGreaterThan(outer!);
    const text = page.locator("article", { hasText: "and so on" }).locator(".text");
    const [long, seen] = await text.evaluate((box: PageElement) => [box.scrollHeight, box.clientHeight]);
    expect(long!).toBeGreaterThan(seen!);
  });

  it.each([false, true])("is readable on every step (dark: %s)", async (dark) => {
    const { page } = await browser.open(url, { dark });
    const steps = page.locator(".legend .scale span:not(.label)");
    expect(await steps.count()).toBe(7);
    for (const step of await steps.all()) expect(await contrastOf(step)).toBeGreaterThanOrEqual(4.5);
    const texts = await cells(page).allTextContents();
    const values = texts.map((cell) => Number(cell.trim().replace("\u2212", "-")));
    for (const extreme of [Math.min(...values), Math.max(...values)]) {
      const cell = cells(page).nth(values.indexOf(extreme));
      expect(await contrastOf(cell), String(extreme)).toBeGreaterThanOrEqual(4.5);
    }
  });

  it("prints everything within the sheet", async () => {
    const { page } = await browser.open(url, { width: 794, height: 1123 });
    await page.emulateMedia({ media: "print" });
    await page.evaluate('dispatchEvent(new Event("beforeprint"))');
    expect(await page.locator("details:not([open])").count()).toBe(0);
    expect(await page.evaluate(PAGE_WIDTH)).toBeLessThanOrEqual(794);
    await page.evaluate('dispatchEvent(new Event("afterprint"))');
    expect(await page.locator("details:not([open])").count()).toBeGreaterThan(0);
  });

  it("is one file that names nothing outside", () => {
    const html = readFileSync(file, "utf8");
    expect(html).toMatch(/^<!doctype html>/);
    expect(html).not.toMatch(/https?:\/\/|\burl\(|@import| src="/);
  });
});
