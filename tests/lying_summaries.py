"""Small scenes: what was said, what a summary may say of it, and the lies that a bad model makes of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scene:
    """A source, sentences that it bears out, and sentences that it does not."""

    source: str
    true: tuple[str, ...]
    lies: tuple[str, ...]


SCENES: dict[str, Scene] = {
    "wrong digit": Scene(
        "User: My order is ORD-48213 and it cost $412.50. Call me at +49 170 5551234.",
        ("The order ORD-48213 cost $412.50.", "The user can be called at +49-170-5551234."),
        (
            "The order is ORD-48218.",
            "The order cost $421.50.",
            "The order cost $412.05.",
            "The order cost $4,125.",
            "The user can be called at +49 170 5551243.",
        ),
    ),
    "what is not to be cancelled": Scene(
        "User: Please don't cancel order A-1; cancel order B-2. Never skip the backup. Don't stop the mail server.",
        (
            "Order B-2 is to be cancelled.",
            "The user does not want to cancel order A-1.",
            "The backup is never to be skipped.",
            "The mail server is not to be stopped.",
        ),
        (
            "Order A-1 is to be cancelled.",
            "Cancel A-1 and keep B-2.",
            "Do not cancel order B-2.",
            "Skip the backup.",
            "The mail server is to be stopped.",
        ),
    ),
    "invented identifiers": Scene(
        "User: The ticket is HX-77, the file is src/app/main.py, write to ann@example.com.",
        ("Ticket HX-77 is about src/app/main.py.", "The address is ann@example.com."),
        (
            "Ticket HX-78 is open.",
            "The file is src/app/mail.py.",
            "The file is src/main.py.",
            "The address is anna@example.com.",
            "See https://example.com/HX-77 for more.",
            "The confirmation code is 8F2K9Q.",
        ),
    ),
    "swapped dates": Scene(
        "User: The deadline is May 3. The party is on May 10.",
        ("The deadline is 3 May.", "The party takes place on May 10th."),
        ("The deadline is May 10.", "The party takes place on 3 May."),
    ),
    "swapped dates of a stay": Scene(
        "User: I arrive on 4 June 2026 and I leave on 9 June 2026.",
        ("The user arrives on June 4.", "The user arrives on 2026-06-04 and leaves on 2026-06-09."),
        (
            "The user arrives on 9 June 2026.",
            "The user leaves on June 4.",
            "The user arrives on 9 June and leaves on 4 June.",
        ),
    ),
    "ranges": Scene(
        "User: We stay from May 3 to May 10. Delivery takes 3-5 days, for 20 to 25 guests, ages 8–12.",
        (
            "They stay from 3 May to 10 May.",
            "Delivery takes 3 to 5 days.",
            "Delivery takes between 3 and 5 days.",
            "There will be 20-25 guests.",
            "The ages are 8-12.",
        ),
        (
            "They stay from May 10 to May 3.",
            "They stay from May 3 to May 11.",
            "Delivery takes 3-6 days.",
            "Delivery takes 5-3 days.",
            "There will be 20-28 guests.",
            "There will be 25 to 30 guests.",
        ),
    ),
    "swapped people and amounts": Scene(
        "User: Ana pays 20% and Maria pays 80%. Bob brought 3 tents, Carl brought 4 tents.",
        (
            "Ana pays 20% and Maria pays 80%.",
            "Maria pays 80 percent.",
            "Carl has four tents.",
            "The share of Ana is 20%.",
        ),
        (
            "Ana pays 80%.",
            "Maria pays 20%.",
            "Ana pays 80% and Maria pays 20%.",
            "Bob brought 4 tents.",
            "Carl brought 3 tents.",
            "Carl has three tents.",
        ),
    ),
    "swapped people and places": Scene(
        "User: Ana lives in Rome and Bob lives in Paris. Carla works for Siemens.",
        ("Ana lives in Rome.", "Bob lives in Paris and Ana lives in Rome.", "Carla works at Siemens."),
        ("Ana lives in Paris.", "Bob lives in Rome.", "Ana lives in Berlin.", "Carla works for Bosch."),
    ),
    "who did it to whom": Scene(
        "User: Ana lent Bob $300. Dr. Weber recommended Dr. Klein.",
        ("Ana lent Bob $300.", "Dr. Weber recommended Dr. Klein.", "Bob was lent $300 by Ana."),
        ("Bob lent Ana $300.", "Dr. Klein recommended Dr. Weber.", "Carl lent Bob $300."),
    ),
    "negation dropped": Scene(
        "User: I do not want breakfast. I'm not allergic to nuts. I never fly at night. We can't pay by card.",
        (
            "The user does not want breakfast.",
            "The user doesn't want breakfast.",
            "The user is not allergic to nuts.",
            "The user never flies at night.",
            "They cannot pay by card.",
        ),
        (
            "The user wants breakfast.",
            "The user is allergic to nuts.",
            "The user flies at night.",
            "They can pay by card.",
        ),
    ),
    "negation added": Scene(
        "User: I smoke. Please book the hotel near the station. The invoice was paid.",
        ("The user smokes.", "Book the hotel near the station.", "The invoice was paid."),
        (
            "The user does not smoke.",
            "Do not book the hotel near the station.",
            "The invoice was not paid.",
            "The invoice was never paid.",
        ),
    ),
    "negation of a part": Scene(
        "User: I want a hotel not near the airport, with a pool. It isn't cheap, but the flat has a garden.",
        ("The user wants a hotel with a pool.", "The flat has a garden.", "The hotel is not to be near the airport."),
        ("The user wants a hotel near the airport.", "The flat has no garden.", "The user does not want a pool."),
    ),
    "what only looks like a negation": Scene(
        "User: Don't forget to bring the passports. No problem, the blue room is fine. I not only like tea, I love it.",
        ("The passports are to be brought.", "The user should bring the passports.", "The blue room is fine."),
        ("The blue room is not fine.",),
    ),
    "units": Scene(
        "User: The flat is 5 km from the lake and has 60 square meters. The parcel weighs 3 kg. We stay 4 nights.",
        (
            "The flat is 5 kilometers from the lake.",
            "The parcel weighs 3 kg.",
            "They stay for 4 nights.",
            "It is 5km away.",
        ),
        (
            "The flat is 5 miles from the lake.",
            "The parcel weighs 3 lbs.",
            "The parcel weighs 3 pounds.",
            "They stay for 4 weeks.",
            "The flat is 60 km from the lake.",
        ),
    ),
    "currency": Scene(
        "User: The room costs 95 € and the flight costs $300. The deposit is £50.",
        (
            "The room costs 95 euros.",
            "The flight costs 300 dollars.",
            "The flight is USD 300.",
            "The deposit is 50 pounds.",
        ),
        (
            "The room costs $95.",
            "The flight costs 300 €.",
            "The deposit is $50.",
            "The deposit is 50 yen.",
            "The room costs $300.",
            "The flight costs 95 €.",
        ),
    ),
    "month and day": Scene(
        "User: The visa ends on 2026-05-08, the lease on 7 September 2026.",
        ("The visa ends on May 8, 2026.", "The visa ends on 8 May.", "The lease ends on 2026-09-07."),
        (
            "The visa ends on August 5.",
            "The visa ends on 2026-08-05.",
            "The visa ends on May 8, 2025.",
            "The lease ends on 9 July 2026.",
            "The lease ends on 2026-07-09.",
        ),
    ),
    "rounding": Scene(
        "User: The total is $1,234.56 and 4,870 people came, that is 97.3%.",
        ("The total is 1234.56 dollars.", "4870 people came.", "The share is 97.3 percent."),
        (
            "The total is about $1,200.",
            "The total is $1,235.",
            "The total is $1.2k.",
            "Nearly 4,900 people came.",
            "About 5,000 people came.",
            "The share is 97%.",
            "The share is 98%.",
        ),
    ),
    "number words": Scene(
        "User: We have three children, twenty-five guests and 2 dogs. It took two hundred days.",
        (
            "They have 3 children.",
            "There are 25 guests.",
            "They have two dogs.",
            "It took 200 days.",
            "There are twenty-five guests.",
        ),
        (
            "They have two children.",
            "They have four children.",
            "There are thirty-five guests.",
            "There are twenty guests.",
            "They have three dogs.",
            "It took two days.",
            "It took three hundred days.",
        ),
    ),
    "ordinals": Scene(
        "User: We live on the third floor and this is the 2nd attempt. She came 4th.",
        ("They live on the 3rd floor.", "This is the second attempt.", "She came fourth."),
        (
            "They live on the second floor.",
            "They live on the 5th floor.",
            "This is the third attempt.",
            "She came fifth.",
        ),
    ),
    "percentages": Scene(
        "User: The discount is 15% and the tax is 19%. The old rate was 7.5 percent.",
        ("The discount is 15 percent.", "The tax is 19%.", "The old rate was 7.5%."),
        (
            "The discount is 19%.",
            "The tax is 15%.",
            "The discount is $15.",
            "The old rate was 75%.",
            "The discount is 50%.",
        ),
    ),
    "times of day": Scene(
        "User: The train leaves at 14:05 and arrives at 9:30 pm. Breakfast is at 7 a.m.",
        (
            "The train leaves at 2:05 pm.",
            "The train arrives at 21:30.",
            "Breakfast is at 7:00.",
            "Breakfast is at 7 am.",
        ),
        (
            "The train leaves at 2:05 am.",
            "The train leaves at 14:50.",
            "The train arrives at 9:30 am.",
            "The train arrives at 19:30.",
            "Breakfast is at 7 pm.",
            "The train leaves at 21:30.",
            "The train arrives at 14:05.",
        ),
    ),
    "counts of different things": Scene(
        "User: I need 3 rooms for 7 people. Assistant: There are 12 flights and 4 trains.",
        ("The user needs 3 rooms for 7 people.", "There are four trains.", "There are 12 flights."),
        ("The user needs 7 rooms.", "The rooms are for 3 people.", "There are 4 flights.", "There are twelve trains."),
    ),
    "names nobody said": Scene(
        "User: I'm Maria Lopez. My doctor is Dr. Stein, and the clinic is in Graz.",
        ("Maria Lopez has Dr. Stein as her doctor.", "The clinic is in Graz."),
        (
            "Maria Gomez has a doctor.",
            "The doctor is Dr. Klein.",
            "The clinic is in Linz.",
            "Peter goes to the clinic.",
        ),
    ),
    "a correction": Scene(
        "User: I need a flight for May 3. Actually, make it May 10. The budget is $900. Sorry, I meant $1,100.",
        ("The flight is for May 10.", "The budget is $1,100."),
        ("The flight is for May 13.", "The budget is $1,900."),
    ),
    "an answer to a question": Scene(
        "Assistant: When do you want to fly?\nUser: May 10, please.\nAssistant: How many rooms?\nUser: 3."
        " The sauna opens on May 4.",
        ("The user wants to fly on May 10.", "The user wants three rooms."),
        ("The user wants to fly on May 14.", "The sauna opens on May 10.", "The user wants five rooms."),
    ),
    "German": Scene(
        "User: Ich möchte kein Fleisch essen. Die Miete ist 850 Euro und die Kaution ist 1.700 Euro."
        " Wir kommen am 3. Mai.",
        (
            "Der Nutzer möchte kein Fleisch essen und das ist nicht neu.",
            "Die Miete ist 850 € und die Kaution 1700 €.",
            "Sie kommen am 3. Mai an.",
        ),
        (
            "Der Nutzer möchte Fleisch essen.",
            "Die Miete ist 1.700 Euro.",
            "Die Kaution ist 850 Euro.",
            "Die Miete ist 580 Euro.",
            "Sie kommen am 5. März an.",
        ),
    ),
    "French": Scene(
        "User: Je ne mange pas de viande. Le loyer est de 850 euros. On arrive le 3 mai à 15h30.",
        ("L'utilisateur ne mange pas de viande.", "Le loyer est de 850 €.", "Ils arrivent le 3 mai à 15:30."),
        (
            "L'utilisateur mange de la viande.",
            "Le loyer est de 950 €.",
            "Ils arrivent le 3 mars.",
            "Ils arrivent à 16h30.",
        ),
    ),
    "Spanish": Scene(
        "User: No quiero desayuno. El alquiler es de 1.200 euros. Llegamos el 3 de mayo.",
        ("El usuario no quiere desayuno.", "El alquiler es de 1200 €.", "Llegan el 3 de mayo."),
        (
            "Quiere desayuno.",
            "El alquiler es de 1,2 euros por mes y 300 más.",
            "Llegan el 5 de mayo.",
            "Llegan el 3 de marzo.",
        ),
    ),
    "Italian": Scene(
        "User: Non mangio carne. La camera costa 80 euro. Arriviamo il 4 giugno.",
        ("Non mangia carne.", "La camera costa 80 €.", "Arrivano il 4 giugno."),
        ("Mangia carne.", "La camera costa 90 €.", "Arrivano il 4 luglio."),
    ),
    "Chinese": Scene(
        "User: 我不吃肉。预算是5000元,5月3日出发。",
        ("用户不吃肉。", "预算是5000元。", "5月3日出发。"),
        ("用户吃肉。", "预算是6000元。", "3月5日出发。"),
    ),
    "many things at once": Scene(
        "User: Tom's flight is BA117 on Friday and Lena's flight is LH400 on Sunday. Lena weighs 62 kg. The meeting"
        " with Kim is at 10:15, the dentist at 16:45. Rent went from $1,900 to $2,150. Server A has 16 GB, server B"
        " has 64 GB. Team Red won 3 games, team Blue won 5 games.",
        (
            "Lena flies with LH400 on Sunday.",
            "Tom's flight is BA117.",
            "Lena's weight is 62 kg.",
            "The dentist is at 4:45 pm.",
            "The rent rose from $1,900 to $2,150.",
            "Server B has 64 GB.",
            "Team Blue won five games.",
        ),
        (
            "Lena's flight is BA117.",
            "Tom's flight is on Sunday.",
            "Lena weighs 62 lbs.",
            "Tom weighs 62 kg.",
            "The dentist is at 10:15.",
            "The rent went from $2,150 to $1,900.",
            "Server A has 64 GB.",
            "Team Blue won three games.",
        ),
    ),
    "a change of two things in one breath": Scene(
        "User: Please move the invoice INV-9 to October 12 and the contract to November 3. Never share my number.",
        ("Invoice INV-9 was moved to October 12.", "The contract was moved to 3 November.", "Never share the number."),
        ("Invoice INV-9 was moved to November 3.", "The invoice was not moved to October 12.", "Share the number."),
    ),
}
