package dev.sund.agent.local;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import java.io.IOException;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * JSON as plain maps, lists, strings, numbers and booleans, by Jackson's streaming parser: the
 * agent's requests are small, and a binding library would cost more start-up time than it saves
 * lines.
 */
public final class Json {
  private static final JsonFactory FACTORY = new JsonFactory();
  private static final int MAX_DEPTH = 64;

  /** The text is not well-formed JSON, or a field is missing or of another type. */
  public static final class MalformedException extends Exception {
    private static final long serialVersionUID = 1;

    MalformedException(String message) {
      super(message);
    }
  }

  private Json() {}

  /**
   * Parses an object. JSON's null values are left out.
   *
   * @throws MalformedException naming line and column
   */
  public static Map<String, Object> object(byte[] text) throws MalformedException {
    try (JsonParser parser = FACTORY.createParser(text)) {
      parser.enable(JsonParser.Feature.STRICT_DUPLICATE_DETECTION);
      if (parser.nextToken() != JsonToken.START_OBJECT) {
        throw new MalformedException("a JSON object is expected");
      }
      Map<String, Object> object = readObject(parser, 0);
      if (parser.nextToken() != null) {
        throw new MalformedException("text follows the JSON object");
      }
      return object;
    } catch (JsonProcessingException e) {
      var at = e.getLocation();
      throw new MalformedException(
          "not well-formed JSON"
              + (at == null ? "" : " at line " + at.getLineNr() + ", column " + at.getColumnNr())
              + ": "
              + e.getOriginalMessage());
    } catch (IOException e) {
      throw new UncheckedIOException("reading bytes in memory does not fail", e);
    }
  }

  /**
   * The string at {@code field}.
   *
   * @throws IllegalArgumentException naming the field, when there is none or it is no string
   */
  public static String text(Map<String, Object> object, String field) {
    Object value = object.get(field);
    if (value instanceof String text) {
      return text;
    }
    throw new IllegalArgumentException(
        "field " + field + (value == null ? " is missing" : " must be a string"));
  }

  /**
   * The list of strings at {@code field}.
   *
   * @throws IllegalArgumentException naming the field, when there is none or it is no such list
   */
  public static List<String> texts(Map<String, Object> object, String field) {
    if (object.get(field) instanceof List<?> list) {
      List<String> texts = new ArrayList<>();
      for (Object item : list) {
        if (!(item instanceof String text)) {
          throw new IllegalArgumentException("field " + field + " must be a list of strings");
        }
        texts.add(text);
      }
      return texts;
    }
    throw new IllegalArgumentException("field " + field + " must be a list of strings");
  }

  /**
   * The object at {@code field}; empty when there is none.
   *
   * @throws IllegalArgumentException naming the field, when it is no object
   */
  @SuppressWarnings("unchecked") // objects are made by this class only
  public static Map<String, Object> child(Map<String, Object> object, String field) {
    Object value = object.get(field);
    if (value == null) {
      return Map.of();
    }
    if (value instanceof Map<?, ?> map) {
      return (Map<String, Object>) map;
    }
    throw new IllegalArgumentException("field " + field + " must be an object");
  }

  /**
   * The list of objects at {@code field}; empty when there is none.
   *
   * @throws IllegalArgumentException naming the field, when it is no such list
   */
  @SuppressWarnings("unchecked") // objects are made by this class only
  public static List<Map<String, Object>> children(Map<String, Object> object, String field) {
    Object value = object.get(field);
    if (value == null) {
      return List.of();
    }
    if (value instanceof List<?> list && list.stream().allMatch(Map.class::isInstance)) {
      return (List<Map<String, Object>>) list;
    }
    throw new IllegalArgumentException("field " + field + " must be a list of objects");
  }

  /**
   * The whole number at {@code field}.
   *
   * @throws IllegalArgumentException naming the field, when there is none or it is no such number
   */
  public static long number(Map<String, Object> object, String field) {
    Object value = object.get(field);
    if (value instanceof Long number) {
      return number;
    }
    throw new IllegalArgumentException(
        "field " + field + (value == null ? " is missing" : " must be a whole number"));
  }

  /**
   * Writes a value: maps with string keys, iterables, strings, booleans, integers, longs and
   * doubles. Values that are null are left out of maps.
   */
  public static String write(Object value) {
    StringWriter text = new StringWriter();
    try (JsonGenerator generator = FACTORY.createGenerator(text)) {
      write(generator, value);
    } catch (IOException e) {
      throw new UncheckedIOException("writing to memory does not fail", e);
    }
    return text.toString();
  }

  private static void write(JsonGenerator generator, Object value) throws IOException {
    switch (value) {
      case Map<?, ?> map -> {
        generator.writeStartObject();
        for (var entry : map.entrySet()) {
          if (entry.getValue() != null) {
            generator.writeFieldName(String.valueOf(entry.getKey()));
            write(generator, entry.getValue());
          }
        }
        generator.writeEndObject();
      }
      case Iterable<?> items -> {
        generator.writeStartArray();
        for (Object item : items) {
          write(generator, item);
        }
        generator.writeEndArray();
      }
      case Boolean flag -> generator.writeBoolean(flag);
      case Integer number -> generator.writeNumber(number);
      case Long number -> generator.writeNumber(number);
      case Double number -> generator.writeNumber(number);
      default -> generator.writeString(value.toString());
    }
  }

  private static Map<String, Object> readObject(JsonParser parser, int depth)
      throws IOException, MalformedException {
    Map<String, Object> object = new LinkedHashMap<>();
    while (parser.nextToken() == JsonToken.FIELD_NAME) {
      String name = parser.currentName();
      parser.nextToken();
      Object value = readValue(parser, depth + 1);
      if (value != null) {
        object.put(name, value);
      }
    }
    return object;
  }

  private static @Nullable Object readValue(JsonParser parser, int depth)
      throws IOException, MalformedException {
    if (depth > MAX_DEPTH) {
      throw new MalformedException("nested deeper than " + MAX_DEPTH + " levels");
    }
    return switch (parser.currentToken()) {
      case START_OBJECT -> readObject(parser, depth);
      case START_ARRAY -> {
        List<Object> items = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          Object item = readValue(parser, depth + 1);
          if (item != null) {
            items.add(item);
          }
        }
        yield items;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_NUMBER_INT -> parser.getLongValue();
      case VALUE_NUMBER_FLOAT -> parser.getDoubleValue();
      case VALUE_TRUE -> Boolean.TRUE;
      case VALUE_FALSE -> Boolean.FALSE;
      case VALUE_NULL -> null;
      case END_OBJECT, END_ARRAY, FIELD_NAME, VALUE_EMBEDDED_OBJECT, NOT_AVAILABLE ->
          throw new MalformedException("a value is expected, not " + parser.currentToken());
    };
  }
}
