package dev.sund.kube.tree;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonLocation;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Pattern;

/** Reads JSON token by token into {@link Tree}s. */
public final class JsonTrees {
  /** Deeper nesting than any Kubernetes object has; keeps the recursion bounded. */
  static final int MAX_DEPTH = 200;

  /** What Jackson adds about itself. */
  private static final Pattern DETAIL =
      Pattern.compile(" \\(code [0-9]+( .*)?\\)(?=\\))| \\((for|start) .*$");

  /** Names are not interned: labels and annotations bring ever new ones. */
  private static final JsonFactory FACTORY =
      new JsonFactoryBuilder().disable(JsonFactory.Feature.INTERN_FIELD_NAMES).build();

  private JsonTrees() {}

  /** The factory of the parsers that {@link #value} reads. */
  public static JsonFactory factory() {
    return FACTORY;
  }

  /**
   * Reads the one value of {@code text}.
   *
   * @throws MalformedException when it is not JSON, or more than one value
   */
  public static Tree parse(String text) throws MalformedException {
    List<Tree> documents = new ArrayList<>();
    read(text, DocumentSink.into(documents), false);
    if (documents.size() != 1) {
      throw new MalformedException(1, 1, "one JSON value is needed, here are " + documents.size());
    }
    return documents.getFirst();
  }

  /**
   * Reads all JSON values of {@code text}, one after another.
   *
   * @throws MalformedException at the first fault; what came before it has been told
   */
  public static void read(String text, DocumentSink sink) throws MalformedException {
    read(text, sink, true);
  }

  private static void read(String text, DocumentSink sink, boolean streamItems)
      throws MalformedException {
    try (JsonParser parser = FACTORY.createParser(text)) {
      while (parser.nextToken() != null) {
        if (streamItems && parser.currentToken() == JsonToken.START_OBJECT) {
          sink.document(root(parser, sink));
        } else {
          sink.document(value(parser, Shape.ANY));
        }
      }
    } catch (IOException e) {
      throw malformed(e);
    }
  }

  /** The fault that a parser of {@link #factory} found, with its place. */
  public static MalformedException malformed(IOException fault) {
    if (fault instanceof MalformedException known) {
      return known;
    }
    if (fault instanceof JsonProcessingException json && json.getLocation() != null) {
      String message = json.getOriginalMessage().lines().findFirst().orElse("not JSON");
      return new MalformedException(
          Math.max(1, json.getLocation().getLineNr()),
          Math.max(1, json.getLocation().getColumnNr()),
          DETAIL.matcher(message).replaceAll(""));
    }
    return new MalformedException(1, 1, String.valueOf(fault.getMessage()));
  }

  private static Tree.Mapping root(JsonParser parser, DocumentSink sink) throws IOException {
    JsonLocation at = parser.currentTokenLocation();
    Map<String, Tree> fields = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String key = parser.currentName();
      JsonLocation keyAt = parser.currentTokenLocation();
      parser.nextToken();
      Tree value;
      if (key.equals("items") && parser.currentToken() == JsonToken.START_ARRAY) {
        value = new Tree.Sequence(List.of(), line(parser), column(parser));
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          sink.item(value(parser, Shape.ANY, 1));
        }
      } else {
        value = value(parser, Shape.ANY, 1);
      }
      putOnce(fields, key, value, keyAt.getLineNr(), keyAt.getColumnNr());
    }
    return new Tree.Mapping(fields, at.getLineNr(), at.getColumnNr());
  }

  /**
   * Reads the value that begins at the parser's current token, leaving out what {@code shape} does
   * not use; the parser is left at the value's last token.
   *
   * @throws IOException as the parser throws, or {@link MalformedException} for a key that occurs
   *     twice
   */
  public static Tree value(JsonParser parser, Shape shape) throws IOException {
    return value(parser, shape, 0);
  }

  private static Tree value(JsonParser parser, Shape shape, int depth) throws IOException {
    int line = line(parser);
    int column = column(parser);
    if (depth > MAX_DEPTH) {
      throw new MalformedException(line, column, "values are nested more than 200 deep");
    }
    JsonToken token = parser.currentToken();
    if (token == JsonToken.START_OBJECT) {
      Map<String, Tree> fields = new LinkedHashMap<>();
      while (parser.nextToken() == JsonToken.FIELD_NAME) {
        String key = parser.currentName();
        if (!shape.uses(key)) {
          parser.nextToken();
          parser.skipChildren();
          continue;
        }
        int keyLine = line(parser);
        int keyColumn = column(parser);
        parser.nextToken();
        putOnce(fields, key, value(parser, shape.at(key), depth + 1), keyLine, keyColumn);
      }
      return new Tree.Mapping(fields, line, column);
    }
    if (token == JsonToken.START_ARRAY) {
      List<Tree> items = new ArrayList<>();
      while (parser.nextToken() != JsonToken.END_ARRAY) {
        items.add(value(parser, shape.item(), depth + 1));
      }
      return new Tree.Sequence(items, line, column);
    }
    if (token == null) {
      throw new MalformedException(line, column, "the text ends in the middle of a value");
    }
    return new Tree.Scalar(parser.getText(), token == JsonToken.VALUE_STRING, line, column);
  }

  static void putOnce(Map<String, Tree> fields, String key, Tree value, int line, int column)
      throws MalformedException {
    Tree before = fields.putIfAbsent(key, value);
    if (before != null) {
      throw new MalformedException(
          line,
          column,
          "the key '" + key + "' occurs twice in one mapping, first in line " + before.line());
    }
  }

  private static int line(JsonParser parser) {
    return parser.currentTokenLocation().getLineNr();
  }

  private static int column(JsonParser parser) {
    return parser.currentTokenLocation().getColumnNr();
  }
}
