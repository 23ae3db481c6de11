/** Stop, in the midst of work however fast that is. */

/** Have a view's Stop clicked as soon as it shows that a share, 0 to 1, of what is done next is there. */
export async function stopAt(page, view, share) {
  await page.evaluate(([view, share]) => {
    const progress = document.querySelector(`#${view} progress`);
    const observer = new MutationObserver(() => {
      if (!progress.hasAttribute("value") || progress.value < share) return;
      observer.disconnect();
      document.querySelector(`#${view} [data-stop]`).click();
    });
    observer.observe(progress, { attributes: true });
  }, [view, share]);
}
