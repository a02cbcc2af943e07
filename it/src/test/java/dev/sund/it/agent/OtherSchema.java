package dev.sund.it.agent;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.JavaCompiler;
import javax.tools.StandardJavaFileManager;
import javax.tools.ToolProvider;

/**
 * A second build of the agent from this checkout's sources, with another schema version of its
 * state: what an earlier or a later release is to this one. Only the class that has the version is
 * compiled anew; since it keeps the number to itself, every other class would be the same.
 */
final class OtherSchema {
  private static final String SOURCE = "dev/sund/agent/state/StateDir.java";
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
    Path classes = Files.createDirectories(folder.resolve("classes"));
    String source =
        Files.readString(AgentScene.root().resolve("agent/src/main/java").resolve(SOURCE));
    Matcher schema = SCHEMA.matcher(source);
    if (!schema.find()) {
      throw new IllegalStateException(SOURCE + " has no " + SCHEMA);
    }
    Path copy = folder.resolve("StateDir.java");
    String number = Integer.toString(Integer.parseInt(schema.group(1)) + offset);
    Files.writeString(
        copy, new StringBuilder(source).replace(schema.start(1), schema.end(1), number));
    JavaCompiler compiler = ToolProvider.getSystemJavaCompiler();
    try (StandardJavaFileManager manager = compiler.getStandardFileManager(null, null, null)) {
      String classPath = System.getProperty("java.class.path");
      List<String> options =
          List.of("-proc:none", "-nowarn", "-d", classes.toString(), "-cp", classPath);
      if (!compiler
          .getTask(null, manager, null, options, null, manager.getJavaFileObjects(copy))
          .call()) {
        throw new IllegalStateException("the agent of schema " + number + " does not compile");
      }
    }
    return classes;
  }
}
