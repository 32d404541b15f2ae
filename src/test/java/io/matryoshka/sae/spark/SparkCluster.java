package io.matryoshka.sae.spark;

import java.io.File;
import java.io.IOException;
import java.io.OutputStream;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.apache.spark.launcher.JavaModuleOptions;

/**
 * A real standalone cluster of processes on the loopback interface: a master, workers of one core,
 * and drivers. All have the class path of the tests; there is no distribution of Spark.
 */
final class SparkCluster implements AutoCloseable {

  private static final long WAIT_SECONDS = 120;

  /** Processes live for seconds, in which a better compiler costs more than it gives. */
  static final String SHORT_LIVED = "-XX:+UseSerialGC -XX:TieredStopAtLevel=1";

  /** What a cluster does not have: the project, and the libraries that it brings. */
  private static final Pattern OURS =
      Pattern.compile("/target/(test-)?classes|/ai/djl/|/info/picocli/|/me/tongfei/");

  private final Path folder;
  private final String classPath;
  private final String master;
  private final List<Process> processes = new ArrayList<>();
  private final List<Process> workers = new ArrayList<>();

  private SparkCluster(Path folder, String classPath, int port) {
    this.folder = folder;
    this.classPath = classPath;
    this.master = "spark://127.0.0.1:" + port;
  }

  /** Starts a master and workers, which keep their files in a folder. */
  static SparkCluster start(Path folder, int workers) throws IOException, InterruptedException {
    return start(folder, workers, classPath());
  }

  /** Starts a cluster whose hosts have Spark and nothing of this project. */
  static SparkCluster startWithSparkAlone(Path folder, int workers)
      throws IOException, InterruptedException {
    String spark =
        Arrays.stream(classPath().split(File.pathSeparator))
            .filter(entry -> !OURS.matcher(entry.replace('\\', '/')).find())
            .collect(Collectors.joining(File.pathSeparator));
    return start(folder, workers, spark);
  }

  private static SparkCluster start(Path folder, int workers, String classPath)
      throws IOException, InterruptedException {
    int port = freePort();
    SparkCluster cluster = new SparkCluster(Files.createDirectories(folder), classPath, port);
    try {
      cluster.writeHome();
      cluster.java(
          "master",
          "-Xmx256m",
          "org.apache.spark.deploy.master.Master",
          "--host",
          "127.0.0.1",
          "--port",
          port,
          "--webui-port",
          freePort());
      awaitPort(port);
      for (int i = 0; i < workers; i++) {
        cluster.addWorker();
      }
      return cluster;
    } catch (IOException | InterruptedException e) {
      cluster.close();
      throw e;
    }
  }

  /** Starts one more worker, as an operator would after a loss. */
  void addWorker() throws IOException {
    String name = "worker-" + workers.size();
    workers.add(
        java(
            name,
            "-Xmx256m",
            "org.apache.spark.deploy.worker.Worker",
            "--host",
            "127.0.0.1",
            "--cores",
            1,
            "--memory",
            "1536m",
            "--webui-port",
            freePort(),
            "--work-dir",
            folder.resolve(name),
            master));
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return socket.getLocalPort();
    }
  }

  private static void awaitPort(int port) throws IOException, InterruptedException {
    long end = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
    while (true) {
      try {
        new Socket(InetAddress.getLoopbackAddress(), port).close();
        return;
      } catch (IOException e) {
        if (System.nanoTime() > end) {
          throw e;
        }
        Thread.sleep(50);
      }
    }
  }

  /** Executors are started from the jars of a home: one empty jar that names the class path. */
  private void writeHome() throws IOException {
    Path jars = Files.createDirectories(folder.resolve("home/jars"));
    Manifest manifest = new Manifest();
    manifest.getMainAttributes().put(Attributes.Name.MANIFEST_VERSION, "1.0");
    String urls =
        Arrays.stream(classPath.split(File.pathSeparator))
            .map(entry -> Path.of(entry).toUri().toString())
            .collect(Collectors.joining(" "));
    manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, urls);
    try (OutputStream out = Files.newOutputStream(jars.resolve("class-path.jar"))) {
      new JarOutputStream(out, manifest).close();
    }
  }

  static String classPath() {
    String ofTests = System.getProperty("surefire.test.class.path");
    return ofTests == null
        ? System.getProperty("java.class.path")
        : ofTests.replace("\n", File.pathSeparator);
  }

  /**
   * Starts {@link ClusterMain} for some tasks; what it prints goes to a file of its name.
   *
   * @param executors how many executors it has, each of one core
   */
  Process driver(String name, int executors, Path in, Path out, List<String> tasks)
      throws IOException {
    List<Object> all = new ArrayList<>(List.of(master, executors, in, out));
    all.addAll(tasks);
    return java(name, "-Xmx768m", ClusterMain.class.getName(), all.toArray());
  }

  /**
   * Runs {@code spark-submit} in client mode.
   *
   * @param cores executors, each of one core
   * @param jars what executors get beside the jar
   * @param jar the program, whose manifest names its main class
   */
  Process submit(String name, int cores, List<Path> jars, Path jar, List<String> arguments)
      throws IOException {
    List<Object> all = new ArrayList<>(List.of("--master", master));
    for (String setting :
        List.of(
            "spark.cores.max=" + cores,
            "spark.executor.cores=1",
            "spark.executor.memory=1g",
            "spark.default.parallelism=4",
            "spark.ui.enabled=false",
            "spark.driver.host=127.0.0.1",
            "spark.driver.bindAddress=127.0.0.1",
            "spark.executorEnv.OMP_NUM_THREADS=1",
            "spark.executor.extraJavaOptions=-Dai.djl.offline=true " + SHORT_LIVED)) {
      all.addAll(List.of("--conf", setting));
    }
    all.add("--jars");
    all.add(jars.stream().map(Path::toString).collect(Collectors.joining(",")));
    all.add(jar);
    all.addAll(arguments);
    return java(name, "-Xmx768m", "org.apache.spark.deploy.SparkSubmit", all.toArray());
  }

  /** Waits until a task of a driver has had its first part done, and not all of them. */
  void awaitMiddle(String name, Process driver, String task)
      throws IOException, InterruptedException {
    while (driver.isAlive()) {
      String log = log(name);
      int begin = log.indexOf("BEGIN " + task);
      if (log.contains("DONE " + task)) {
        throw new IllegalStateException(task + " was over before anybody could stop it: " + log);
      }
      if (begin >= 0 && log.indexOf("Finished task", begin) >= 0) {
        return;
      }
      Thread.sleep(5);
    }
    throw new IllegalStateException("the driver has ended: " + log(name));
  }

  private Process java(String name, String heap, String main, Object... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(heap);
    command.addAll(List.of(SHORT_LIVED.split(" ")));
    command.addAll(List.of(JavaModuleOptions.defaultModuleOptionArray()));
    command.addAll(List.of("-Dai.djl.offline=true", "-cp", classPath, main));
    Arrays.stream(arguments).map(String::valueOf).forEach(command::add);
    ProcessBuilder builder =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(folder.resolve(name + ".log").toFile());
    builder
        .environment()
        .putAll(
            Map.of(
                "SPARK_HOME", folder.resolve("home").toString(),
                "SPARK_SCALA_VERSION", "2.13",
                "SPARK_LOCAL_IP", "127.0.0.1",
                "SPARK_NO_DAEMONIZE", "1"));
    Process process = builder.start();
    processes.add(process);
    return process;
  }

  /** What a process has printed so far. */
  String log(String name) throws IOException {
    return Files.readString(folder.resolve(name + ".log"));
  }

  /** Kills the oldest living worker and its executor as {@code kill -9} does. */
  void killOldestWorker() throws InterruptedException {
    kill(workers.stream().filter(Process::isAlive).findFirst().orElseThrow());
  }

  /** Kills a process and those that it started. */
  static void kill(Process process) throws InterruptedException {
    List<ProcessHandle> started = process.descendants().toList();
    process.destroyForcibly();
    started.forEach(ProcessHandle::destroyForcibly);
    process.waitFor();
  }

  /** Waits for the end of a driver. */
  int await(Process driver) throws InterruptedException {
    return driver.waitFor(WAIT_SECONDS, TimeUnit.SECONDS) ? driver.exitValue() : -1;
  }

  @Override
  public void close() {
    for (Process process : processes) {
      process.descendants().forEach(ProcessHandle::destroyForcibly);
      process.destroyForcibly();
    }
  }
}
