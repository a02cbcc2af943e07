package dev.sund.doctor.report;

import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * Takes secrets out of texts of any kind: configuration in JSON, YAML, TOML, INI, commands of
 * routing programs, command lines, environments. Rather too much than too little: what a key's name
 * calls a secret goes, and what looks like one wherever it stands.
 */
public final class Secrets {
  /** What stands in a secret's place. */
  public static final String REMOVED = "(removed)";

  /** Words in the name of a key whose value is a secret. */
  private static final String WORDS =
      "token|secret|passw|passphrase|passwd|private[-_]?key|preshared[-_]?key|psk|api[-_]?key"
          + "|access[-_]?key|key[-_]?data|certificate[-_]?data|authority[-_]?data|credential|bearer"
          + "|key[-_]?string|md5|community|encryption[-_]?key|datastore[-_]?endpoint|\\bauth\\b"
          + "|session[-_]?key|signing[-_]?key|sas[-_]?key|shared[-_]?key";

  private static final Pattern NAMED =
      Pattern.compile(
          "(?i)(?<quote>[\"']?)(?<name>[A-Za-z0-9_.-]*(?:"
              + WORDS
              + ")[A-Za-z0-9_.-]*)\\k<quote>(?<between>[ \\t]*[:=][ \\t]*|[ \\t\\x00]+)");

  /** Names that say where a secret is, and not which. */
  private static final Pattern PLACE =
      Pattern.compile("(?i).*(file|path|dir|directory|config|mount|ref|name|plugin|ttl|timeout)");

  private static final Pattern PLAIN_PATH = Pattern.compile("/[A-Za-z0-9_./*-]+");

  /** {@code name: PASSWORD} and {@code value: ...}, as containers' environments have them. */
  private static final Pattern PAIR =
      Pattern.compile(
          "(?i)([\"']?name[\"']?\\s*[:=]\\s*[\"']?[A-Za-z0-9_.-]*(?:"
              + WORDS
              + "|key)[A-Za-z0-9_.-]*[\"']?\\s*,?\\s*[\"']?value[\"']?\\s*[:=]\\s*)(\"(?:\\\\.|[^\"\\\\])*\"|'[^']*'|[^\\n,}]+)");

  private static final Pattern PEM =
      Pattern.compile(
          "-----BEGIN [A-Z0-9 ]+-----.*?(?:-----END [A-Z0-9 ]+-----|\\z)", Pattern.DOTALL);
  private static final Pattern WEB_TOKEN =
      Pattern.compile("\\beyJ[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]*(?:\\.[A-Za-z0-9_-]*)?");
  private static final Pattern HEADER =
      Pattern.compile("(?i)\\b(bearer|basic|digest)[ \\t]+[A-Za-z0-9+/=._~-]{6,}");
  private static final Pattern URL =
      Pattern.compile("([a-zA-Z][a-zA-Z0-9+.-]*://)[^/\\s@\"'\\x00]*@");
  private static final Pattern QUERY =
      Pattern.compile(
          "(?i)([?&][a-z0-9_.-]*(?:token|secret|passw|key|sig)[a-z0-9_.-]*=)[^&\\s\"']+");

  /** 32 bytes in base64, as keys of WireGuard are. */
  private static final Pattern KEY_32 =
      Pattern.compile("(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{43}=(?![A-Za-z0-9+/=])");

  private static final Pattern BOOTSTRAP =
      Pattern.compile("(?<![a-z0-9.])[a-z0-9]{6}\\.[a-z0-9]{16}(?![a-z0-9.])");
  private static final Pattern K3S = Pattern.compile("\\bK10[0-9a-f]{20,}(?:::\\S+)?");
  private static final Pattern CLOUD = Pattern.compile("\\bA(?:KI|SI)A[A-Z0-9]{16}\\b");
  private static final Pattern LONG =
      Pattern.compile("(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{60,}={0,2}");

  /** Values of an environment that tell something and are none. */
  private static final Set<String> ENVIRONMENT =
      Set.of(
          "container",
          "HOME",
          "HOSTNAME",
          "JAVA_HOME",
          "KUBERNETES_PORT",
          "KUBERNETES_SERVICE_HOST",
          "KUBERNETES_SERVICE_PORT",
          "LANG",
          "NODE_NAME",
          "PATH",
          "TERM",
          "USER");

  private Secrets() {}

  /**
   * A file's text without its secrets.
   *
   * @param path where it is: the kernel's own files hold numbers and are left as they are
   */
  public static String removedFrom(String path, String text) {
    if (path.endsWith("/environ")) {
      return environment(text, "\0");
    }
    boolean kernels =
        (path.startsWith("proc/") || path.startsWith("sys/") || path.startsWith("sund-before/"))
            && !path.matches("proc/([0-9]+/(cmdline|root/.*)|cmdline)");
    return kernels ? text : removed(text);
  }

  /**
   * An environment: the names of all, and the values of those that are known to be harmless.
   *
   * @param between what separates {@code NAME=VALUE} from the next
   */
  public static String environment(String text, String between) {
    StringBuilder kept = new StringBuilder();
    for (String word : text.split(Pattern.quote(between))) {
      int equal = word.indexOf('=');
      if (equal > 0) {
        String name = word.substring(0, equal);
        kept.append(kept.isEmpty() ? "" : between)
            .append(name)
            .append('=')
            .append(ENVIRONMENT.contains(name) ? word.substring(equal + 1) : REMOVED);
      }
    }
    return kept.toString();
  }

  /** A text of any kind without its secrets. */
  public static String removed(String text) {
    String rest = PEM.matcher(text).replaceAll(REMOVED);
    rest = pairs(rest);
    rest = named(rest);
    rest = HEADER.matcher(rest).replaceAll("$1 " + REMOVED);
    rest = URL.matcher(rest).replaceAll("$1" + REMOVED + "@");
    rest = QUERY.matcher(rest).replaceAll("$1" + REMOVED);
    for (Pattern pattern : new Pattern[] {WEB_TOKEN, KEY_32, BOOTSTRAP, K3S, CLOUD}) {
      rest = pattern.matcher(rest).replaceAll(REMOVED);
    }
    return LONG.matcher(rest)
        .replaceAll(
            found -> Matcher.quoteReplacement(isDrawn(found.group()) ? REMOVED : found.group()));
  }

  /** Large and small letters and digits, which words and paths of that length have not all. */
  private static boolean isDrawn(String word) {
    return word.chars().anyMatch(Character::isUpperCase)
        && word.chars().anyMatch(Character::isLowerCase)
        && word.chars().anyMatch(Character::isDigit);
  }

  private static String pairs(String text) {
    return PAIR.matcher(text)
        .replaceAll(found -> Matcher.quoteReplacement(found.group(1) + '"' + REMOVED + '"'));
  }

  /** The values of keys whose names call them secrets. */
  private static String named(String text) {
    StringBuilder rest = new StringBuilder();
    Matcher names = NAMED.matcher(text);
    int at = 0;
    while (names.find(at)) {
      int value = names.end();
      int end = end(text, value, names);
      String old = text.substring(value, end);
      rest.append(text, at, value);
      if (end == value || isHarmless(names.group("name"), old)) {
        rest.append(old);
      } else if (old.startsWith("\"") || old.startsWith("[") || old.startsWith("{")) {
        rest.append('"').append(REMOVED).append('"');
      } else if (old.startsWith("'")) {
        rest.append('\'').append(REMOVED).append('\'');
      } else {
        rest.append(REMOVED).append(old.endsWith("\n") ? "\n" : "");
      }
      at = end;
      if (at >= text.length()) {
        break;
      }
    }
    return at >= text.length() ? rest.toString() : rest.append(text, at, text.length()).toString();
  }

  private static boolean isHarmless(String name, String value) {
    String plain = value.strip().replaceAll("^[\"']|[\"',;]+$", "");
    return plain.matches("(?i)true|false|null")
        || (PLACE.matcher(name).matches()
            && plain.matches("[A-Za-z0-9_./*-]{1,60}")
            && !plain.matches(".*\\d.*[A-Z].*|.*[A-Z].*\\d.*"))
        || (PLAIN_PATH.matcher(plain).matches()
            && plain.indexOf('/', 1) > 0
            && plain.contains("."));
  }

  /** Where a value that begins here ends. */
  private static int end(String text, int from, Matcher names) {
    if (from >= text.length()) {
      return from;
    }
    char first = text.charAt(from);
    if (first == '"' || first == '\'') {
      return quoted(text, from);
    }
    if (first == '[' || first == '{') {
      return bracketed(text, from);
    }
    boolean assigned = names.group("between").matches(".*[:=].*");
    if (assigned && (first == '\n' || first == '|' || first == '>')) {
      return block(text, names.start(), from);
    }
    if (names.group("name").startsWith("-")) {
      return word(text, names.start(), from);
    }
    int end = from;
    boolean inJson = !names.group("quote").isEmpty();
    // Without quotes a value goes on to the line's end; behind blanks alone it is one word.
    String stops = inJson ? ",}]\n\0" : assigned ? "\n\0" : " \t\n\0;";
    while (end < text.length() && stops.indexOf(text.charAt(end)) < 0) {
      end++;
    }
    return end;
  }

  /** An option's value ends with its word, or with the quotes around the whole. */
  private static int word(String text, int option, int from) {
    char before = option > 0 ? text.charAt(option - 1) : ' ';
    String stops = " \t\n\0" + (before == '"' || before == '\'' ? before : ' ');
    int end = from;
    while (end < text.length() && stops.indexOf(text.charAt(end)) < 0) {
      end++;
    }
    return end;
  }

  private static int quoted(String text, int from) {
    char quote = text.charAt(from);
    int end = from + 1;
    while (end < text.length() && text.charAt(end) != quote) {
      end += text.charAt(end) == '\\' && quote == '"' ? 2 : 1;
    }
    return Math.min(end + 1, text.length());
  }

  private static int bracketed(String text, int from) {
    int depth = 0;
    int end = from;
    while (end < text.length()) {
      char c = text.charAt(end);
      if (c == '"' || c == '\'') {
        end = quoted(text, end);
        continue;
      }
      depth += c == '[' || c == '{' ? 1 : c == ']' || c == '}' ? -1 : 0;
      end++;
      if (depth == 0) {
        return end;
      }
    }
    return end;
  }

  /** YAML: the lines below a key that are indented more than it, and a list at its own depth. */
  private static int block(String text, int key, int from) {
    int begin = text.lastIndexOf('\n', key) + 1;
    int depth = 0;
    while (begin + depth < text.length() && text.charAt(begin + depth) == ' ') {
      depth++;
    }
    int end = text.indexOf('\n', from);
    while (end >= 0 && end + 1 < text.length()) {
      int next = text.indexOf('\n', end + 1);
      String line = text.substring(end + 1, next < 0 ? text.length() : next);
      int indent = line.length() - line.stripLeading().length();
      boolean inside =
          line.isBlank() || indent > depth || (indent == depth && line.startsWith("- ", indent));
      if (!inside) {
        break;
      }
      end = next;
    }
    return end < 0 ? text.length() : end + 1;
  }
}
