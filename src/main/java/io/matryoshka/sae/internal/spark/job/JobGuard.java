package io.matryoshka.sae.internal.spark.job;

import io.matryoshka.sae.internal.spark.host.JobFault;
import java.io.IOException;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.UUID;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.apache.spark.ExceptionFailure;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.scheduler.SparkListener;
import org.apache.spark.scheduler.SparkListenerStageSubmitted;
import org.apache.spark.scheduler.SparkListenerTaskEnd;
import org.apache.spark.scheduler.SparkListenerTaskStart;

/**
 * Runs a job of Spark that ends at the first fault of its input. Spark would try such a task four
 * times, and go on with the others meanwhile.
 */
public final class JobGuard extends SparkListener {

  private static final String GROUP = "spark.jobGroup.id";
  private static final String[] OF_GROUP = {
    GROUP, "spark.job.description", "spark.job.interruptOnCancel"
  };
  private static final long MAX_WAIT_NANOS = 10_000_000_000L;
  private static final long POLL_MILLIS = 10;
  private static final Pattern FAULT =
      Pattern.compile(Pattern.quote(JobFault.class.getName()) + ": ([^\n]*)");

  private final JavaSparkContext spark;
  private final String group = "matryoshka-sae-" + UUID.randomUUID();
  private final Set<Integer> stages = ConcurrentHashMap.newKeySet();
  private final AtomicInteger running = new AtomicInteger();
  private final AtomicReference<String> fault = new AtomicReference<>();

  private JobGuard(JavaSparkContext spark) {
    this.spark = spark;
  }

  /**
   * Runs what starts jobs and waits for them.
   *
   * @param what the job in a word or two
   * @throws JobFault if a task finds a fault that another attempt would find, too
   * @throws IOException if the job fails otherwise
   */
  static <T> T run(JavaSparkContext spark, String what, Callable<T> jobs) throws IOException {
    JobGuard guard = new JobGuard(spark);
    Map<String, String> before = new TreeMap<>();
    for (String property : OF_GROUP) {
      Optional.ofNullable(spark.getLocalProperty(property))
          .ifPresent(value -> before.put(property, value));
    }
    spark.sc().addSparkListener(guard);
    spark.setJobGroup(guard.group, "matryoshka-sae " + what, false);
    try {
      return jobs.call();
    } catch (Exception e) {
      guard.awaitTasks();
      throw guard.failure(what, e);
    } finally {
      for (String property : OF_GROUP) {
        spark.setLocalProperty(property, before.get(property));
      }
      spark.sc().removeSparkListener(guard);
    }
  }

  /** Lets tasks that still run see that the job has ended, so that they write nothing later. */
  private void awaitTasks() {
    long end = System.nanoTime() + MAX_WAIT_NANOS;
    while (running.get() > 0 && System.nanoTime() < end) {
      try {
        Thread.sleep(POLL_MILLIS);
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        return;
      }
    }
  }

  private IOException failure(String what, Exception cause) {
    String known = fault.get();
    Optional<String> found = known == null ? faultIn(text(cause)) : Optional.of(known);
    return found
        .<IOException>map(message -> new JobFault(message, cause))
        .orElseGet(
            () ->
                new IOException(
                    "%s: the job failed on the cluster: %s"
                        .formatted(what, firstLines(String.valueOf(cause.getMessage()))),
                    cause));
  }

  private static String text(Throwable error) {
    StringBuilder text = new StringBuilder();
    for (Throwable e = error; e != null; e = e.getCause()) {
      text.append(e).append('\n');
    }
    return text.toString();
  }

  private static Optional<String> faultIn(String text) {
    Matcher found = FAULT.matcher(text);
    return found.find() ? Optional.of(found.group(1)) : Optional.empty();
  }

  /** Spark puts the stack trace of the task into the message. */
  private static String firstLines(String message) {
    return message.split("\n\tat ", 2)[0].strip();
  }

  @Override
  public void onStageSubmitted(SparkListenerStageSubmitted submitted) {
    if (submitted.properties() != null && group.equals(submitted.properties().getProperty(GROUP))) {
      stages.add(submitted.stageInfo().stageId());
    }
  }

  @Override
  public void onTaskStart(SparkListenerTaskStart start) {
    if (stages.contains(start.stageId())) {
      running.incrementAndGet();
    }
  }

  @Override
  public void onTaskEnd(SparkListenerTaskEnd end) {
    if (!stages.contains(end.stageId())) {
      return;
    }
    running.decrementAndGet();
    if (end.reason() instanceof ExceptionFailure failed) {
      faultIn(failed.className() + ": " + failed.description() + "\n" + failed.fullStackTrace())
          .filter(message -> fault.compareAndSet(null, message))
          .ifPresent(message -> spark.cancelJobGroup(group));
    }
  }
}
