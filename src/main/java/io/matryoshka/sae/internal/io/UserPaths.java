package io.matryoshka.sae.internal.io;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Paths as people write them into environment variables, where no shell expands them: {@code ~},
 * {@code ~user}, {@code $NAME} and {@code ${NAME}}, as Python's {@code os.path.expanduser} and
 * {@code expandvars} do.
 */
public final class UserPaths {

  private static final Pattern VARIABLE = Pattern.compile("\\$(?:(\\w+)|\\{(\\w+)})");
  private static final Pattern TILDE = Pattern.compile("^~([^/\\\\]*)");
  private static final Path USERS = Path.of("/etc/passwd");
  private static final int HOME_FIELD = 5;

  private final Map<String, String> variables;

  /**
   * Prepares to expand.
   *
   * @param variables names and values as in the environment of a process
   */
  public UserPaths(Map<String, String> variables) {
    this.variables = Map.copyOf(variables);
  }

  /**
   * Returns the home folder: {@code $HOME}, else the system property {@code user.home}.
   *
   * @return an absolute path, empty where neither names one, such as for a user id without a name
   */
  public Optional<Path> home() {
    return Optional.ofNullable(variables.get("HOME"))
        .filter(UserPaths::isNamed)
        .or(() -> Optional.ofNullable(System.getProperty("user.home")).filter(UserPaths::isNamed))
        .map(home -> Path.of(home).toAbsolutePath());
  }

  /** The JVM says "?" for a user whom the system does not know. */
  static boolean isNamed(String home) {
    return !home.isBlank() && !home.equals("?");
  }

  /**
   * Expands the value of a variable.
   *
   * @param name the variable, for messages
   * @param value its value
   * @return an absolute path; a variable that is not set stays as it is written
   * @throws IllegalArgumentException if the home folder that the value names is not known
   */
  public Path expand(String name, String value) {
    Matcher tilde = TILDE.matcher(value);
    String path =
        tilde.find() ? home(tilde.group(1), name, value) + value.substring(tilde.end()) : value;
    String expanded =
        VARIABLE
            .matcher(path)
            .replaceAll(
                match -> {
                  String variable = match.group(1) == null ? match.group(2) : match.group(1);
                  return Matcher.quoteReplacement(variables.getOrDefault(variable, match.group()));
                });
    return Path.of(expanded).toAbsolutePath();
  }

  private Path home(String user, String name, String value) {
    Optional<Path> found = user.isEmpty() ? home() : homeOf(user);
    return found.orElseThrow(
        () ->
            new IllegalArgumentException(
                "%s=%s: the home folder %s is not known; write the path in full"
                    .formatted(name, value, user.isEmpty() ? "~" : "of the user " + user)));
  }

  private static Optional<Path> homeOf(String user) {
    if (Files.isReadable(USERS)) {
      try {
        List<String> lines = Files.readAllLines(USERS);
        for (String line : lines) {
          String[] fields = line.split(":", -1);
          if (fields.length > HOME_FIELD && fields[0].equals(user)) {
            return Optional.of(Path.of(fields[HOME_FIELD]));
          }
        }
      } catch (IOException e) {
        return Optional.empty();
      }
    }
    return Optional.of(System.getProperty("user.home"))
        .filter(home -> user.equals(System.getProperty("user.name")) && isNamed(home))
        .map(Path::of);
  }
}
