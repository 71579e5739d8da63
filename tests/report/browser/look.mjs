// Opens a page in headless Chromium with the network off; prints what is there as JSON, and takes pictures.
// node look.mjs PAGE.html [FOLDER FOR PICTURES]; another Chromium is named by $CHROMIUM.
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import chromium from "@sparticuz/chromium";
import puppeteer from "puppeteer-core";

const [file, folder] = process.argv.slice(2);
const executablePath = process.env.CHROMIUM || (await chromium.executablePath());
const browser = await puppeteer.launch({
  executablePath,
  headless: "shell",
  pipe: true,
  args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--font-render-hinting=none"],
});
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1100, height: 900 });
  await page.setOfflineMode(true);
  const errors = [];
  const requests = [];
  page.on("console", (message) => {
    if (["error", "warn"].includes(message.type())) errors.push(message.text());
  });
  page.on("pageerror", (error) => errors.push(String(error)));
  page.on("dialog", (dialog) => { errors.push(`dialog: ${dialog.message()}`); return dialog.dismiss(); });
  page.on("request", (request) => requests.push(request.url().slice(0, 200)));
  await page.goto(pathToFileURL(file).href, { waitUntil: "load" });
  await page.waitForSelector("body[data-drawn=yes]", { timeout: 60_000 });
  const seen = await page.evaluate(() => ({
    title: document.title,
    text: document.body.innerText,
    headings: [...document.querySelectorAll("h1, h2")].map((each) => each.textContent),
    tables: [...document.querySelectorAll("table")].map((each) => each.rows.length - 1),
    images: document.querySelectorAll("img, iframe, object, embed, link").length,
    links: [...document.querySelectorAll("a")].filter((each) => each.href.baseVal ?? each.href).length,
    scripts: document.querySelectorAll("script").length,
    injected: window.injected ?? null,
    width: document.documentElement.scrollWidth - document.documentElement.clientWidth,
    plots: [...document.querySelectorAll(".plot")].map((plot) => ({
      id: plot.id,
      drawn: plot.querySelectorAll("svg.main-svg").length,
      marks: plot.querySelectorAll(
        ".point path, path.point, .js-line, .heatmaplayer image, .bars path").length,
      axes: [...plot.querySelectorAll(".xtitle, .ytitle")].map((each) => each.textContent),
      height: plot.getBoundingClientRect().height,
    })),
  }));
  if (folder) {
    await page.screenshot({ path: join(folder, "page.png"), fullPage: true });
    await page.pdf({ path: join(folder, "page.pdf"), printBackground: true, preferCSSPageSize: true });
    await page.emulateMediaType("print");
    await page.screenshot({ path: join(folder, "print.png"), fullPage: true });
    await page.emulateMediaType("screen");
    let number = 0;
    for (const section of await page.$$("section")) {
      number += 1;
      await section.screenshot({ path: join(folder, `section-${number}.png`) });
    }
    await page.setViewport({ width: 420, height: 800 });
    await new Promise((done) => setTimeout(done, 500));
    await page.screenshot({ path: join(folder, "narrow.png") });
  }
  console.log(JSON.stringify({ browser: await browser.version(), errors, requests, ...seen }));
} finally {
  await browser.close();
}
