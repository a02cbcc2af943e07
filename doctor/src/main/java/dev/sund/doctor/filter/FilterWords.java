package dev.sund.doctor.filter;

import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The words of an expression, read one after the other. */
final class FilterWords {
  private static final int MOST_CHARACTERS = 20_000;
  private static final String SIGNS = "()[]!&|<>=+-*/%^:";

  private final String text;
  private final List<String> words = new ArrayList<>();
  private final List<Integer> positions = new ArrayList<>();
  private int next;

  FilterWords(String text) throws FilterSyntaxException {
    this.text = text;
    if (text.length() > MOST_CHARACTERS) {
      throw new FilterSyntaxException(
          "it has more than " + MOST_CHARACTERS + " characters", MOST_CHARACTERS);
    }
    int at = 0;
    while (at < text.length()) {
      at = word(at);
    }
  }

  private int word(int begin) {
    char first = text.charAt(begin);
    if (Character.isWhitespace(first)) {
      return begin + 1;
    }
    int end = begin + 1;
    if (isSign(begin)) {
      String two = text.substring(begin, Math.min(begin + 2, text.length()));
      if (List.of("&&", "||", "<=", ">=", "==", "!=", "<<", ">>").contains(two)) {
        end++;
      }
    } else {
      while (end < text.length()
          && !Character.isWhitespace(text.charAt(end))
          && (!isSign(end) || isInside(begin, end))) {
        end++;
      }
    }
    words.add(text.substring(begin, end));
    positions.add(begin);
    return end;
  }

  private boolean isSign(int at) {
    return SIGNS.indexOf(text.charAt(at)) >= 0 && !isAddressBegin(at);
  }

  /** {@code ::1} begins with colons. */
  private boolean isAddressBegin(int at) {
    return text.startsWith("::", at);
  }

  /** Hyphens of names and ranges, and colons of addresses: not {@code 2:1} and not {@code 2-1}. */
  private boolean isInside(int begin, int at) {
    char sign = text.charAt(at);
    String before = text.substring(begin, at);
    if (sign == ':') {
      return !isInBrackets() && before.matches("[0-9a-fA-F:]*");
    }
    boolean more = at + 1 < text.length() && Character.isLetterOrDigit(text.charAt(at + 1));
    return sign == '-'
        && more
        && (before.matches("[a-zA-Z].*") || !isInBrackets() && before.matches("[0-9]+"));
  }

  private boolean isInBrackets() {
    return Collections.frequency(words, "[") > Collections.frequency(words, "]");
  }

  /** Whether a word is among them. */
  boolean has(String word) {
    return words.contains(word);
  }

  /** The next word, which stays; empty at the end. */
  String peek() {
    return peek(0);
  }

  /** A word further on; empty behind the end. */
  String peek(int further) {
    return next + further < words.size() ? words.get(next + further) : "";
  }

  /** Takes the next word. */
  String take() throws FilterSyntaxException {
    if (next == words.size()) {
      throw new FilterSyntaxException("it ends too early", text.length());
    }
    return words.get(next++);
  }

  /** Takes the next word if it is this. */
  boolean took(String word) {
    boolean is = peek().equals(word);
    next += is ? 1 : 0;
    return is;
  }

  /** Takes the next word, which must be this. */
  void expect(String word) throws FilterSyntaxException {
    if (!took(word)) {
      throw fault("expected '" + word + "'" + found());
    }
  }

  /** {@code , found 'x'}. */
  String found() {
    return peek().isEmpty() ? ", and it ends" : ", and found '" + peek() + "'";
  }

  boolean atEnd() {
    return next == words.size();
  }

  /** Where the next word is, to come back to. */
  int mark() {
    return next;
  }

  void backTo(int mark) {
    next = mark;
  }

  /** Something is wrong with the next word. */
  FilterSyntaxException fault(String message) {
    return new FilterSyntaxException(
        message, next < positions.size() ? positions.get(next) : text.length());
  }

  /** Something is wrong with the word that was taken last. */
  FilterSyntaxException faultBefore(String message) {
    return new FilterSyntaxException(message, next == 0 ? 0 : positions.get(next - 1));
  }
}
