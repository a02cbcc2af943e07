package dev.sund.it.arch;

import java.io.IOException;
import java.lang.reflect.Field;
import java.lang.reflect.Modifier;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.stream.Stream;

/**
 * All numbers that classes of the module {@code kernel} hold as constants. A program of its own,
 * since some depend on the machine that the JVM says it is on.
 */
final class KernelConstants {
  private static final String PACKAGE = "dev.sund.kernel.";
  private static final Set<Class<?>> NUMBERS =
      Set.of(int.class, long.class, short.class, byte.class);

  private KernelConstants() {}

  /** Prints {@code CLASS.FIELD VALUE} lines; the argument is the folder of the module's classes. */
  public static void main(String[] arguments) throws Exception {
    read(Path.of(arguments[0])).forEach((name, value) -> System.out.println(name + " " + value));
  }

  private static Map<String, Long> read(Path classes) throws Exception {
    Map<String, Long> found = new TreeMap<>();
    for (Path file : classFiles(classes)) {
      String name = classes.relativize(file).toString().replace('/', '.');
      Class<?> type =
          Class.forName(
              name.substring(0, name.length() - ".class".length()),
              false,
              KernelConstants.class.getClassLoader());
      for (Field field : type.getDeclaredFields()) {
        int modifiers = field.getModifiers();
        if (Modifier.isStatic(modifiers)
            && Modifier.isFinal(modifiers)
            && NUMBERS.contains(field.getType())
            && !field.getName().equals("serialVersionUID")
            && !field.isSynthetic()) {
          field.setAccessible(true);
          found.put(
              type.getName().substring(PACKAGE.length()) + "." + field.getName(),
              ((Number) field.get(null)).longValue());
        }
      }
    }
    return found;
  }

  private static List<Path> classFiles(Path classes) throws IOException {
    try (Stream<Path> files = Files.walk(classes.resolve("dev/sund/kernel"))) {
      return files
          .filter(file -> file.toString().endsWith(".class"))
          .filter(file -> !file.toString().endsWith("-info.class"))
          .sorted()
          .toList();
    }
  }
}
