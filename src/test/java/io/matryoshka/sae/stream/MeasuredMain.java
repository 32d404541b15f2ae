package io.matryoshka.sae.stream;

import io.matryoshka.sae.internal.cli.Main;
import java.lang.management.ManagementFactory;
import java.lang.management.MemoryPoolMXBean;
import java.lang.management.MemoryType;

/** The command line, which tells in the end how much heap it has used at most. */
final class MeasuredMain {

  private MeasuredMain() {}

  public static void main(String[] args) {
    Runtime.getRuntime().addShutdownHook(new Thread(MeasuredMain::report));
    Main.main(args);
  }

  /** The sum of the peaks of the pools, which is at least the peak of the heap. */
  private static void report() {
    long peak =
        ManagementFactory.getMemoryPoolMXBeans().stream()
            .filter(pool -> pool.getType() == MemoryType.HEAP)
            .map(MemoryPoolMXBean::getPeakUsage)
            .mapToLong(usage -> usage.getUsed())
            .sum();
    System.out.println("HEAP " + peak);
  }
}
