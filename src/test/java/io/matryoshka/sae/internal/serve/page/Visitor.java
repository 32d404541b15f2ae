package io.matryoshka.sae.internal.serve.page;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.internal.report.Chromium;
import java.net.URI;
import java.time.Duration;
import java.util.List;

/** Somebody who uses the page: looks, types, clicks, waits. Elements are named by CSS selectors. */
record Visitor(Chromium browser) {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final Duration PATIENCE = Duration.ofSeconds(30);

  void open(URI address, String fragment) throws Exception {
    open(address.toString(), fragment);
  }

  /** Loads a page anew, also where only its fragment differs from what is open. */
  void open(String address, String fragment) throws Exception {
    browser.open(URI.create("about:blank"));
    browser.open(URI.create(address + fragment));
  }

  JsonNode run(String script) {
    return browser.run(script);
  }

  /** What a selector's first element says, without the white space around it. */
  String text(String selector) {
    return run("document.querySelector(" + quote(selector) + ")?.textContent ?? ''")
        .asText()
        .strip();
  }

  int count(String selector) {
    return run("document.querySelectorAll(" + quote(selector) + ").length").asInt();
  }

  String fragment() {
    return run("decodeURIComponent(location.hash.replaceAll('+', ' '))").asText();
  }

  /** Waits until a script gives true. */
  void await(String script) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    while (!run("Boolean(" + script + ")").asBoolean()) {
      if (System.nanoTime() > end) {
        throw new AssertionError(
            "never true: "
                + script
                + "\nthe page says: "
                + run("document.querySelector('main').innerText.slice(0, 800)").asText());
      }
      Thread.sleep(20);
    }
  }

  void awaitText(String selector, String part) throws InterruptedException {
    await(
        "document.querySelector("
            + quote(selector)
            + ")?.textContent.includes("
            + quote(part)
            + ")");
  }

  void awaitElement(String selector) throws InterruptedException {
    await("document.querySelector(" + quote(selector) + ")");
  }

  /** Presses the mouse in the middle of an element, once it is there. */
  void click(String selector) throws InterruptedException {
    clickOn("document.querySelector(" + quote(selector) + ")");
  }

  /** Presses the button or link with a text. */
  void press(String text) throws InterruptedException {
    clickOn(
        "[...document.querySelectorAll('button, a, summary, .seg label')].find(e => e.textContent.trim() === "
            + quote(text)
            + ")");
  }

  /**
   * What comes later may push an element away from under the mouse. A press beside it is kept from
   * the page, and made again.
   */
  private static final String AIM =
      """
      (() => {
        const e = %s;
        window.aimed = false;
        e.scrollIntoView({block: 'center'});
        const guard = event => {
          if (e.contains(event.target)) {
            window.aimed ||= event.type === 'click';
          } else {
            event.preventDefault();
            event.stopImmediatePropagation();
          }
        };
        const types = ['pointerdown', 'mousedown', 'pointerup', 'mouseup', 'click'];
        types.forEach(type => window.addEventListener(type, guard, true));
        window.rest = () => types.forEach(type => window.removeEventListener(type, guard, true));
        const b = e.getClientRects()[0];
        return [b.left + b.width / 2, b.top + b.height / 2];
      })()""";

  private void clickOn(String element) throws InterruptedException {
    long end = System.nanoTime() + PATIENCE.toNanos();
    do {
      await(element + "?.getClientRects().length > 0");
      press(run(AIM.formatted(element)));
      if (System.nanoTime() > end) {
        throw new AssertionError("never hit: " + element);
      }
    } while (!run("(rest(), aimed)").asBoolean());
  }

  private void press(JsonNode place) {
    for (String type : List.of("mousePressed", "mouseReleased")) {
      browser.call(
          "Input.dispatchMouseEvent",
          JSON.createObjectNode()
              .put("type", type)
              .put("x", place.get(0).asDouble())
              .put("y", place.get(1).asDouble())
              .put("button", "left")
              .put("clickCount", 1));
    }
  }

  /** Types a text in place of what a field holds. */
  void type(String selector, String text) throws InterruptedException {
    awaitElement(selector);
    run(
        "(() => { const e = document.querySelector("
            + quote(selector)
            + "); e.focus(); e.select(); })()");
    insert(text);
  }

  /**
   * Types parts of a text one after the other in place of what a field holds, as steadily as the
   * page's own clock goes, however slow the machine is.
   */
  void typeSteadily(String selector, int millisBetween, String... parts)
      throws InterruptedException {
    awaitElement(selector);
    run(
        """
        (async () => {
          const field = document.querySelector(%s);
          field.focus();
          field.select();
          for (const part of %s) {
            document.execCommand('insertText', false, part);
            await new Promise(next => setTimeout(next, %d));
          }
        })()"""
            .formatted(quote(selector), JSON.valueToTree(parts), millisBetween));
  }

  /** Types a text where the focus is. */
  void insert(String text) {
    browser.call("Input.insertText", JSON.createObjectNode().put("text", text));
  }

  /** Presses a key, named as in JavaScript's {@code event.key}. */
  void key(String key, int code) {
    for (String type : List.of("keyDown", "keyUp")) {
      ObjectNode event = JSON.createObjectNode().put("type", type).put("key", key).put("code", key);
      browser.call("Input.dispatchKeyEvent", event.put("windowsVirtualKeyCode", code));
    }
  }

  /** Chooses an option of a menu, or moves a slider, as a person does. */
  void set(String selector, String value) throws InterruptedException {
    awaitElement(selector);
    run(
        "(() => { const e = document.querySelector("
            + quote(selector)
            + "); e.value = "
            + quote(value)
            + "; for (const type of ['input', 'change'])"
            + " e.dispatchEvent(new Event(type, {bubbles: true})); })()");
  }

  /** Begins to remember what the page says in passing. */
  void listen() {
    run(
        """
        window.said = [];
        new MutationObserver(() => said.push(document.querySelector('.toast').textContent))
          .observe(document.querySelector('.toast'),
            {childList: true, characterData: true, subtree: true})""");
  }

  /** Waits until the page has said something in passing. */
  void awaitSaid(String text) throws InterruptedException {
    await("said.includes(" + quote(text) + ")");
  }

  void back() {
    run("history.back()");
  }

  void forward() {
    run("history.forward()");
  }

  List<String> complaints() {
    return browser.complaints();
  }

  static String quote(String text) {
    return JSON.valueToTree(text).toString();
  }
}
