package io.matryoshka.sae.internal.serve.view;

import com.fasterxml.jackson.databind.node.ObjectNode;
import io.matryoshka.sae.SAE;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/**
 * What is known of an SAE's latents from many texts, and how far the work on it is. Safe for use by
 * several threads.
 */
public final class Corpus {

  private enum State {
    NONE,
    WAITING,
    RUNNING,
    READY,
    FAILED
  }

  private final String source;
  private List<String> words;
  private State state;
  private String task = "";
  private long done;
  private long total;
  private String message = "";
  private Optional<Findings> findings = Optional.empty();

  private Corpus(String source, List<String> words, State state) {
    this.source = source;
    this.words = List.copyOf(words);
    this.state = state;
  }

  /**
   * Returns a corpus that was not given.
   *
   * @return a corpus without findings
   */
  public static Corpus none() {
    return new Corpus("", List.of(), State.NONE);
  }

  /**
   * Returns a corpus that is still to be read.
   *
   * @param source what it is, for people
   * @param words what gives the same texts on the command line; none if nothing does
   * @return a corpus without findings as yet
   */
  public static Corpus toBeRead(String source, List<String> words) {
    return new Corpus(source, words, State.WAITING);
  }

  /**
   * Reads the findings of {@code explore --json}.
   *
   * @param file its result
   * @param sae the SAE
   * @return a corpus that is ready
   * @throws IOException if the file cannot be read, or is of another SAE
   */
  public static Corpus of(Path file, SAE sae) throws IOException {
    Corpus corpus = new Corpus(file.getFileName().toString(), List.of(), State.READY);
    corpus.findings = Optional.of(FileFindings.read(file, sae));
    return corpus;
  }

  /** What gives the same texts on the command line, if anything does. */
  synchronized List<String> words() {
    return words;
  }

  /** Notes that only the first texts were read, which no command does. */
  synchronized void readInPart() {
    words = List.of();
  }

  String source() {
    return source;
  }

  synchronized boolean isWaiting() {
    return state == State.WAITING;
  }

  synchronized void step(String what, long nowDone, long ofTotal) {
    state = State.RUNNING;
    task = what;
    done = nowDone;
    total = ofTotal;
  }

  synchronized void ready(Findings found) {
    state = State.READY;
    findings = Optional.of(found);
  }

  synchronized void failed(String why) {
    state = State.FAILED;
    message = why;
  }

  synchronized Optional<Findings> findings() {
    return findings;
  }

  synchronized ObjectNode json() {
    ObjectNode node = Json.object().put("state", state.name().toLowerCase(Locale.ROOT));
    node.put("source", state == State.NONE ? null : source);
    boolean running = state == State.RUNNING;
    node.put("task", running ? task : null);
    node.put("done", running ? done : null).put("total", running ? total : null);
    node.put("rows", findings.map(Findings::rows).orElse(null));
    node.put("message", state == State.FAILED ? message : null);
    return node;
  }
}
