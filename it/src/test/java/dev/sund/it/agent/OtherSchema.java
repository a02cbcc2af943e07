package dev.sund.it.agent;

import java.io.IOException;
import java.nio.file.Path;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * A second build of the agent from this checkout's sources, with another schema version of its
 * state: what an earlier or a later release is to this one. Only the class that has the version is
 * compiled anew; since it keeps the number to itself, every other class would be the same.
 */
final class OtherSchema {
  private static final String SOURCE = "agent/src/main/java/dev/sund/agent/state/StateDir.java";
  private static final Pattern SCHEMA =
      Pattern.compile("private static final int SCHEMA = (\\d+);");

  private OtherSchema() {}

  /**
   * Builds it.
   *
   * @param offset added to the schema version of the sources
   * @param folder where sources and classes go
   * @return the classes, to stand before all others
   */
  static Path build(int offset, Path folder) throws IOException {
    return OtherBuild.build(SOURCE, source -> shifted(source, offset), folder);
  }

  private static String shifted(String source, int offset) {
    Matcher schema = SCHEMA.matcher(source);
    if (!schema.find()) {
      throw new IllegalStateException(SOURCE + " has no " + SCHEMA);
    }
    String number = Integer.toString(Integer.parseInt(schema.group(1)) + offset);
    return new StringBuilder(source).replace(schema.start(1), schema.end(1), number).toString();
  }
}
