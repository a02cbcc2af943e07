package dev.sund.agent.local;

import dev.sund.agent.local.Json.MalformedException;
import java.lang.reflect.Constructor;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.lang.reflect.Modifier;
import java.lang.reflect.ParameterizedType;
import java.lang.reflect.RecordComponent;
import java.lang.reflect.Type;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.SortedMap;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * Records as JSON and back, by what their declarations say: what an agent knows of the cluster
 * crosses its socket so, and arrives equal. Agent and asker are of one version: a field that only
 * one of them knows is refused.
 *
 * <p>A record is an object of its components; one of a sealed family has its name at {@value #KIND}
 * besides. A value with a {@code parse} of its own is its text. Whatever is empty is left out.
 */
public final class RecordJson {
  private static final String KIND = "is";

  private RecordJson() {}

  // From values.

  /**
   * What {@link Json#write} writes.
   *
   * @param declared the type by which it will be read: the record's own or its sealed family's
   */
  public static Object write(Object value, Class<?> declared) {
    return write(value, (Type) declared);
  }

  private static Object write(Object value, Type declared) {
    return switch (value) {
      case String text -> text;
      case Boolean flag -> flag;
      case Integer number -> number;
      case Long number -> number;
      case Enum<?> constant -> constant.name();
      case Duration duration -> duration.toString();
      case OptionalInt number -> number.stream().boxed().toList();
      case Optional<?> one -> write(one.stream().toList(), declared);
      case Collection<?> all -> all.stream().map(one -> write(one, argument(declared, 0))).toList();
      case Map<?, ?> map -> {
        // Keys are not always texts.
        List<Object> pairs = new ArrayList<>();
        map.forEach((key, one) -> {
          pairs.add(write(key, argument(declared, 0)));
          pairs.add(write(one, argument(declared, 1)));
        });
        yield pairs;
      }
      case Object other ->
          parser(other.getClass()).isPresent() ? other.toString() : fields(other, declared);
    };
  }

  private static Map<String, Object> fields(Object value, Type declared) {
    Map<String, Object> fields = new LinkedHashMap<>();
    if (raw(declared).isInterface()) {
      fields.put(KIND, value.getClass().getSimpleName());
    }
    for (RecordComponent component : components(value.getClass())) {
      Object field = write(call(component.getAccessor(), value), component.getGenericType());
      if (!(field instanceof Collection<?> all && all.isEmpty())) {
        fields.put(component.getName(), field);
      }
    }
    return fields;
  }

  // To values.

  /**
   * Reads what {@link #write} wrote.
   *
   * @param json as {@link Json#object} has it
   * @throws MalformedException naming the type, when it says something else
   */
  public static <T> T read(Object json, Class<T> declared) throws MalformedException {
    return declared.cast(value(json, declared));
  }

  private static Object value(Object json, Type declared) throws MalformedException {
    Class<?> type = raw(declared);
    if (type == String.class) {
      return text(json, declared);
    } else if (type == boolean.class || type == Boolean.class) {
      return is(Boolean.class, json, declared);
    } else if (type == int.class || type == Integer.class) {
      return (int) is(Long.class, json, declared).longValue();
    } else if (type == long.class || type == Long.class) {
      return is(Long.class, json, declared);
    } else if (type == Duration.class) {
      return Duration.parse(text(json, declared));
    } else if (type == OptionalInt.class) {
      List<?> some = is(List.class, json, declared);
      return some.isEmpty()
          ? OptionalInt.empty()
          : OptionalInt.of((int) value(some.getFirst(), int.class));
    } else if (type == Optional.class) {
      return list(json, argument(declared, 0)).stream().findFirst();
    } else if (type == List.class || type == Collection.class) {
      return list(json, argument(declared, 0));
    } else if (type == Set.class) {
      return new LinkedHashSet<>(list(json, argument(declared, 0)));
    } else if (type == SortedSet.class) {
      return new TreeSet<>(list(json, argument(declared, 0)));
    } else if (type == Map.class || type == SortedMap.class) {
      return map(json, declared, type);
    } else if (type.isEnum()) {
      String name = text(json, declared);
      return Arrays.stream(type.getEnumConstants())
          .filter(one -> ((Enum<?>) one).name().equals(name))
          .findFirst()
          .orElseThrow(() -> malformed(json, declared));
    }
    Optional<Method> parser = parser(type);
    return parser.isPresent() ? parsed(parser.get(), json) : object(json, type);
  }

  private static List<Object> list(Object json, Type element) throws MalformedException {
    List<Object> values = new ArrayList<>();
    for (Object one : is(List.class, json, element)) {
      values.add(value(one, element));
    }
    return values;
  }

  private static Map<Object, Object> map(Object json, Type declared, Class<?> type)
      throws MalformedException {
    List<?> pairs = is(List.class, json, declared);
    Map<Object, Object> map = type == Map.class ? new LinkedHashMap<>() : new TreeMap<>();
    for (int i = 0; i + 1 < pairs.size(); i += 2) {
      map.put(
          value(pairs.get(i), argument(declared, 0)),
          value(pairs.get(i + 1), argument(declared, 1)));
    }
    return map;
  }

  private static Object object(Object json, Class<?> declared) throws MalformedException {
    Map<?, ?> fields = is(Map.class, json, declared);
    Class<?> type =
        declared.isInterface() ? named(String.valueOf(fields.get(KIND)), declared) : declared;
    RecordComponent[] components = components(type);
    Object[] values = new Object[components.length];
    int known = declared.isInterface() ? 1 : 0;
    for (int i = 0; i < components.length; i++) {
      Object field = fields.get(components[i].getName());
      known += field == null ? 0 : 1;
      values[i] = value(field == null ? List.of() : field, components[i].getGenericType());
    }
    if (known != fields.size()) {
      throw malformed(fields.keySet(), type);
    }
    try {
      Class<?>[] types =
          Arrays.stream(components).map(RecordComponent::getType).toArray(Class<?>[]::new);
      Constructor<?> constructor = type.getDeclaredConstructor(types);
      constructor.setAccessible(true);
      return constructor.newInstance(values);
    } catch (InvocationTargetException e) {
      throw malformed(cause(e), type);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException("a record has a constructor of its components", e);
    }
  }

  private static Class<?> named(String name, Class<?> family) throws MalformedException {
    for (Class<?> one : family.getPermittedSubclasses()) {
      if (one.getSimpleName().equals(name)) {
        return one;
      }
    }
    throw malformed(name, family);
  }

  // What types say.

  private static RecordComponent[] components(Class<?> type) {
    if (!type.isRecord()) {
      throw new IllegalStateException(type + " is no record and has no parse(String)");
    }
    return type.getRecordComponents();
  }

  private static Optional<Method> parser(Class<?> type) {
    return Arrays.stream(type.getDeclaredMethods())
        .filter(method -> method.getName().equals("parse"))
        .filter(method -> Modifier.isStatic(method.getModifiers()))
        .filter(method -> method.getReturnType() == type)
        .filter(method -> Arrays.equals(method.getParameterTypes(), new Class<?>[] {String.class}))
        .findFirst();
  }

  private static Object parsed(Method parser, Object json) throws MalformedException {
    try {
      return parser.invoke(null, text(json, parser.getReturnType()));
    } catch (InvocationTargetException e) {
      throw malformed(cause(e), parser.getReturnType());
    } catch (IllegalAccessException e) {
      throw new IllegalStateException(parser + " is public", e);
    }
  }

  private static Object call(Method accessor, Object value) {
    try {
      accessor.setAccessible(true);
      return accessor.invoke(value);
    } catch (ReflectiveOperationException e) {
      throw new IllegalStateException(accessor + " only reads", e);
    }
  }

  private static Class<?> raw(Type type) {
    return type instanceof ParameterizedType given ? raw(given.getRawType()) : (Class<?>) type;
  }

  private static Type argument(Type type, int index) {
    return type instanceof ParameterizedType given
        ? given.getActualTypeArguments()[index]
        : Object.class;
  }

  private static String text(Object json, Type declared) throws MalformedException {
    return is(String.class, json, declared);
  }

  private static <T> T is(Class<T> wanted, Object json, Type declared) throws MalformedException {
    if (wanted.isInstance(json)) {
      return wanted.cast(json);
    }
    throw malformed(json, declared);
  }

  private static String cause(InvocationTargetException refused) {
    return "what '" + refused.getTargetException().getMessage() + "' is said of";
  }

  private static MalformedException malformed(Object what, Type declared) {
    return new MalformedException(what + " is no " + declared.getTypeName());
  }
}
