package io.matryoshka.sae.internal.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The home folder of a process whose user the system does not know, as in a container with a random
 * user id: the JVM calls it "?", and libraries would make a folder of that name where the program
 * was started.
 */
public final class HomeFolder {

  private static final String PROPERTY = "user.home";

  private HomeFolder() {}

  /** Tells whether the JVM knows a home folder. */
  public static boolean isKnown() {
    return UserPaths.isNamed(System.getProperty(PROPERTY, ""));
  }

  /**
   * Gives the JVM {@code $HOME} as its home folder where it knows none, else a temporary folder;
   * for programs, not for libraries, as it changes the system property {@value #PROPERTY}.
   */
  public static void replaceUnknown() {
    if (!isKnown()) {
      System.setProperty(
          PROPERTY,
          new UserPaths(System.getenv()).home().orElseGet(HomeFolder::temporary).toString());
    }
  }

  private static Path temporary() {
    try {
      Path folder = Files.createTempDirectory("matryoshka-sae-home");
      DeletedOnExit.add(folder);
      return folder;
    } catch (IOException e) {
      throw new IllegalStateException(
          "there is no home folder and no temporary one; set HOME to a folder that can be written",
          e);
    }
  }
}
