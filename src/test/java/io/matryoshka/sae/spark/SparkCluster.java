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
import java.util.stream.Collectors;
import org.apache.spark.launcher.JavaModuleOptions;

/**
 * A real standalone cluster of processes on the loopback interface: a master, workers of one core,
 * and drivers. All have the class path of the tests; there is no distribution of Spark.
 */
final class SparkCluster implements AutoCloseable {

  private static final long WAIT_SECONDS = 120;

  private final Path folder;
  private final String master;
  private final List<Process> processes = new ArrayList<>();
  private final List<Process> workers = new ArrayList<>();

  private SparkCluster(Path folder, int port) {
    this.folder = folder;
    this.master = "spark://127.0.0.1:" + port;
  }

  /** Starts a master and workers; they keep their files in a folder. */
  static SparkCluster start(Path folder, int workers) throws IOException, InterruptedException {
    int port = freePort();
    SparkCluster cluster = new SparkCluster(Files.createDirectories(folder), port);
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
        cluster.workers.add(
            cluster.java(
                "worker-" + i,
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
                folder.resolve("work-" + i),
                cluster.master));
      }
      return cluster;
    } catch (IOException | InterruptedException e) {
      cluster.close();
      throw e;
    }
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
        Arrays.stream(classPath().split(File.pathSeparator))
            .map(entry -> Path.of(entry).toUri().toString())
            .collect(Collectors.joining(" "));
    manifest.getMainAttributes().put(Attributes.Name.CLASS_PATH, urls);
    try (OutputStream out = Files.newOutputStream(jars.resolve("class-path.jar"))) {
      new JarOutputStream(out, manifest).close();
    }
  }

  private static String classPath() {
    String ofTests = System.getProperty("surefire.test.class.path");
    return ofTests == null
        ? System.getProperty("java.class.path")
        : ofTests.replace("\n", File.pathSeparator);
  }

  /** Starts a driver; what it prints goes to a file of its name. */
  Process driver(String name, Class<?> main, Object... arguments) throws IOException {
    List<Object> all = new ArrayList<>(List.of(master));
    all.addAll(List.of(arguments));
    return java(name, "-Xmx768m", main.getName(), all.toArray());
  }

  private Process java(String name, String heap, String main, Object... arguments)
      throws IOException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.add(heap);
    command.addAll(List.of(JavaModuleOptions.defaultModuleOptionArray()));
    command.addAll(List.of("-Dai.djl.offline=true", "-cp", classPath(), main));
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

  /** Kills a worker and its executors as {@code kill -9} does. */
  void killWorker(int index) throws InterruptedException {
    kill(workers.get(index));
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
