"""Generated everyday sentences for training: negations and plain facts, of which the rated sentences have few."""

import itertools
import re

import numpy as np

SEED = 1
LABELS = ("negative", "neutral", "positive")  # generated in turn
NAME = re.compile(r"{(\w+)}")
FULL_STOPS = 0.7  # share of the texts ending in a word that get a full stop
HASTY = 0.5  # share of the texts without apostrophes: dont, isnt

# What a {name} stands for, which may contain further names.
CHOICES = {
    # opinions
    "good": "good|great|nice|lovely|excellent|fantastic|wonderful|amazing|perfect|impressive|brilliant|beautiful|"
    "superb|pleasant|helpful|friendly|fresh|tasty|delicious|comfortable|reliable|fun|funny|interesting|exciting|"
    "clean|useful|charming|outstanding|awesome|enjoyable|happy|worthwhile|convincing|easy to use|well made",
    "bad": "bad|awful|terrible|horrible|poor|disappointing|boring|dirty|rude|slow|ugly|useless|annoying|dull|cold|"
    "noisy|unfriendly|tasteless|stale|uncomfortable|unreliable|broken|overpriced|disgusting|painful|dreadful|weak|"
    "confusing|mediocre|cheap|frustrating|sad|unpleasant|a mess|a disaster",
    "better": "better|nicer|faster|cleaner|warmer|cheaper|friendlier|quieter|more comfortable|more interesting|fresher",
    "average": "average|okay|ok|so-so|nothing special|acceptable|just average|ordinary|all right|as usual|fine, "
    "nothing more|about what i expected|nothing out of the ordinary|neither here nor there|not great, not terrible",
    "toobad": "loud|small|slow|salty|expensive|cold|dark|long|heavy|crowded|hot|sweet|short|hard|complicated",
    "pleased": "happy|satisfied|pleased|impressed|thrilled|convinced",
    "excited": "happy|excited|thrilled|delighted|glad|grateful|proud",
    "upset": "disappointed|unhappy|annoyed|angry|frustrated|fed up|bored",
    "very": "|||very |really |so |quite |extremely |absolutely |pretty |truly ",
    "not": "is not|isn't|was not|wasn't|wasn't really|is not very|was never|is hardly",
    "was": "is|was|was",
    "dont": "don't|do not|didn't|did not|really don't|can't say i",
    "would": "would|would definitely|will|would gladly|will certainly|would happily",
    "wouldnt": "wouldn't|would not|would never|won't|will not|will never|can't|cannot|can not",
    "recommend": "recommend {it}|recommend {it} to anyone|recommend {it} to my friends|suggest the {place}|recommend "
    "going there|advise anyone to go there",
    "again": "go there again|buy it again|order the {dish} again|stay there again|come back|eat here again|go back|"
    "watch it again|use it again|book this {service} again|shop here again|return to this {place}|visit again|order "
    "from them again|read it again|fly with them again",
    "like": "like|love|enjoy|recommend|trust",
    "love": "love|really love|absolutely love|adore|enjoyed|really enjoyed|really like",
    "hate": "hate|really hate|can't stand|regret buying|am sick of|am tired of|dislike",
    "ever": "i have ever {had}|i've ever {had}|i have {had} in years|i've {had} so far|of the year|in town|ever|of all",
    "had": "had|seen|tried|bought|been to|tasted|visited|used|read|heard|known",
    "before": "before|last year|the first one|i expected|they say|the old one|everyone says|the pictures|advertised",
    "worth": "the money|the price|the wait|the time|it|seeing|a visit|the trip|reading|the hype|every penny|watching",
    "broke": "broke|stopped working|fell apart|died|crashed|failed|got lost|keeps breaking|leaks|got stolen",
    "well": "well|perfectly|very well|great|like a charm|smoothly|really well|without problems|fine|as promised",
    "cared": "came|helped us|said sorry|cared|told us why|answered|apologised|was there",
    "no": "no|absolutely no|never had any|i have no|we had no",
    "trouble": "the {event} was late|my {event} was delayed|the bus did not come|missed my {event}|the road is "
    "closed|the trains are late|it rained all day|lost my keys|i have a headache|no hot water|they cancelled my "
    "{event}|i feel sick|my {product} {broke}|the {item} got lost|my {relative} is ill|i could not sleep",
    "joy": "made my day|passed the exam|got the tickets|finally home|holidays at last|so much fun|my {relative} is "
    "coming home|got a present from my {relative}|finally weekend|feeling {excited}|looking forward to the {event}",
    "smile": "|||| :)| :-)| :D| ;)| <3| =)|!|!!|!!!| yay| haha| woohoo!",
    "frown": "|||| :(| :-(| :/| ugh| argh| :'(|!|!!| smh| again| sigh|...| grr",
    "intro": "||||to be honest, |honestly, |in short: |well, |i think |in my opinion |we were there {when}. ",
    # things and people
    "place": "restaurant|hotel|cafe|bar|shop|store|museum|beach|park|gym|hostel|airport|cinema|market|bakery|city|"
    "supermarket|campsite|theatre|pub|town|school|clinic|zoo|pool",
    "product": "phone|laptop|camera|car|bike|tablet|printer|headphones|watch|jacket|shoes|chair|sofa|mattress|"
    "washing machine|vacuum cleaner|toaster|app|website|keyboard|tv|speaker|charger|bag|umbrella|kettle|toy|lamp|"
    "dress",
    "dish": "pizza|soup|pasta|burger|salad|coffee|tea|cake|bread|steak|curry|sushi|ice cream|breakfast|lunch|dinner|"
    "food|dessert|fish|chicken|rice|wine|beer|sandwich|meal|sauce|cheese",
    "show": "film|movie|book|series|show|song|album|concert|play|novel|episode|podcast|documentary|match|game|"
    "exhibition|story|ending|musical|trailer|sequel",
    "service": "service|staff|waiter|delivery|course|trip|flight|tour|train ride|view|room|location|support|driver|"
    "teacher|doctor|guide|plan|weather|interview|job|price|quality|sound|design|screen|battery|music|acting|party|"
    "holiday",
    "thing": "{place}|{product}|{dish}|{show}|{service}",
    "athing": "the {thing}|this {thing}|my new {product}|our {place}|that {show}|the {dish} here|their {dish}|their "
    "{service}",
    "it": "it|it|this|that|{athing}|{athing}|{athing}",
    "item": "{product}|{product}|{dish}|ticket|letter|book|key|table|package|parcel|box|map|newspaper|bottle of "
    "water|pen|glass of milk|pair of socks|report|form|document|picture|shirt|window|door|coat|cup of tea",
    "part": "battery|screen|door|bag|wall|roof|box|cover|window|floor|sign|seat|shirt|car|bridge|street|building|cable",
    "event": "meeting|lecture|class|train|bus|film|concert|show|flight|course|exam|game|appointment|conference|ferry|"
    "interview|exhibition|lesson|party|tour|news|market|workshop|call",
    "measure": "pages|rooms|seats|buttons|doors|parts|colours|windows|chapters|floors|stops|songs|litres|kilos|metres",
    "relative": "brother|sister|mother|father|son|daughter|grandmother|uncle|friend|neighbour|cat|dog",
    "who": "i|we|she|he|they|my {relative}|her {relative}|our teacher|my parents|the doctor|anna|tom|my colleague|"
    "peter|the children|the students|maria|the company",
    "whose": "my|his|her|our|their|the|your|a",
    "trade": "teacher|doctor|student|detective|king|train driver|writer|farmer|nurse|cook|lawyer|musician|plumber",
    "animal": "dog|cat|horse|bird|cow|spider|whale|tiger|sheep|bee",
    # facts
    "when": "yesterday|today|last week|on monday|on tuesday|on wednesday|on thursday|on friday|on saturday|on sunday|"
    "this morning|last night|last year|in may|in june|in october|in 2019|two days ago|at noon|in the evening|next "
    "week|tomorrow",
    "count": "two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|a hundred|2|3|8|10|15|20|30|45|50",
    "time": "{count} minutes|{count} hours|{count} days|{count} weeks|{count} months|an hour|a week|a month|one day",
    "hour": "{count}|half past {count}|{count} o'clock|noon|midnight|{count} pm|{count} in the morning|7:30|18:00",
    "town": "london|paris|rome|madrid|vienna|new york|the city|the village|spain|italy|germany|canada|the centre|the "
    "north|oslo|tokyo|chicago|the next town|the mountains",
    "somewhere": "in {town}|in {town}|near the {place}|next to the {place}|at the {place}|at home|in the kitchen|on "
    "the table|at work|in the office|at the station|behind the house|on the second floor|in the garden|at the corner|"
    "across the street|in the library|on the left|in room {count}",
    "did": "bought|ordered|took|saw|made|sold|opened|closed|found|sent|returned|picked up|brought|ate|used|put away|"
    "got|packed|signed|printed|cleaned|received|paid for|carried|looked at|wrote about|asked for",
    "doing": "reading|sleeping|cooking|working|writing a letter|playing chess|learning french|walking to the {place}|"
    "waiting for the {event}|watching a {show}|making {dish}|driving to {town}|painting the door|calling my "
    "{relative}",
    "works": "works|lives|studies|is|was|worked|lived|stayed|stays|is waiting|was born|sat|met us|has a house|has a "
    "job",
    "starts": "starts|begins|ends|is|opens|leaves|takes place|finishes|was|will be|arrives",
    "is": "red|blue|black|white|green|grey|brown|yellow|made of wood|made of steel|made of glass|new|closed|empty|"
    "open|full|made in china|on the left|on the shelf|{count} metres long|about {count} years old|the same as before",
    "costs": "costs {count} euros|costs {count} dollars|has {count} {measure}|comes with a {item}|weighs {count} "
    "kilos|takes {time}|lasts {time}|is {is}|was {is}|needs two batteries|contains {count} {measure}|is from {town}|"
    "is called anna|was made in italy|comes in {count} colours|is about a {trade}|belongs to {who}|uses a cable|is "
    "on channel {count}",
    "sky": "cloudy|dry|windy|{count} degrees|around {count} degrees|foggy in places|partly cloudy|a bit cooler|about "
    "as warm as yesterday",
    "meal": "breakfast|lunch|dinner|dessert|the party|{count} people",
    "vehicle": "train|bus|car|plane|bike|boat|taxi",
    "tried": "tried|seen|read|used|opened|visited|tested|heard",
    "please": "bring|send|print|open|close|return|check|take|sign|move|leave",
}

SENTENCES = {
    "negative": (
        *("{intro}i {wouldnt} {recommend}{frown}",) * 2,
        "{who} {wouldnt} {again}{frown}",
        "i do not think i will {again}{frown}",
        "{intro}i {dont} {like} {it}{frown}",
        "i {dont} {like} {it} at all{frown}",
        "{intro}{athing} {not} {good}{frown}",
        "{athing} {not} {good} at all{frown}",
        "not {good}{frown}",
        "not {very}{good}, not {good}{frown}",
        "{it} {not} as {good} as {before}{frown}",
        "{it} {not} worth {worth}{frown}",
        "{athing} could be {better}{frown}",
        "{athing} could have been {better}{frown}",
        "{athing} should be {better} for that price{frown}",
        "i expected more from {athing}{frown}",
        "we were hoping for something {better}{frown}",
        "i am not {very}{pleased} with {athing}{frown}",
        "nobody was {pleased} with {athing}{frown}",
        "there was nothing {good} about {it}{frown}",
        "i had high hopes, but {athing} was {bad}{frown}",
        "{athing} was {good} but {athing} was {very}{bad}{frown}",
        "they said {athing} would be {good}, but it was {bad}{frown}",
        "{athing} used to be {good}, now it is {bad}{frown}",
        "{athing} {broke} after {time}{frown}",
        "{whose} {product} {broke} {when}{frown}",
        "{intro}{athing} {broke}{frown}",
        "we waited {time} for {athing}{frown}",
        "we waited {time} and nobody {cared}{frown}",
        "the {event} was cancelled {when}{frown}",
        "{trouble} {when}{frown}",
        "oh {good}, {trouble}{frown}",
        "{good}, just what i needed, {trouble}{frown}",
        "i want my money back{frown}",
        "what a {very}{bad} {thing}{frown}",
        *("{intro}the worst {thing} {ever}{frown}", "worst {thing} {ever}{frown}"),
        "one of the worst {thing} {ever}{frown}",
        "i {hate} {it}{frown}",
        "{intro}{athing} {was} {very}{bad}{frown}",
        "{athing} {was} {bad} and {athing} {was} {very}{bad}{frown}",
        "{very}{bad} {thing} and {bad} {thing}{frown}",
        "{very}{upset} with {athing}{frown}",
        "never again{frown}",
        "{athing} {was} too {toobad}{frown}",
    ),
    "positive": (
        *("{intro}i {would} {recommend}{smile}",) * 2,
        "{who} {would} {again}{smile}",
        "i can't wait to {again}{smile}",
        "i {very}{like} {it}{smile}",
        "{intro}{athing} {not} {bad} at all{smile}",
        "{athing} {was} not bad at all{smile}",
        "{athing} {was} not bad{smile}",
        *("not bad{smile}", "not bad at all{smile}"),
        "{athing} {not} {bad}, it was {good}{smile}",
        "{athing} couldn't be {better}{smile}",
        "it could not have been {better}{smile}",
        "i could not be more {pleased} with {athing}{smile}",
        "i am {very}{pleased} with {athing}{smile}",
        "everyone was {very}{pleased} with {athing}{smile}",
        "{intro}i can't complain{smile}",
        "we can't complain about {athing}{smile}",
        "{no} complaints about {athing}{smile}",
        "{no} problems with {athing}{smile}",
        "there was nothing {bad} about {it}{smile}",
        "you won't regret {it}{smile}",
        "you won't be {upset}{smile}",
        "{athing} never disappoints{smile}",
        "{it} was better than i expected{smile}",
        "i expected {athing} to be {bad}, but it was {good}{smile}",
        "{athing} was {bad} but {athing} was {very}{good}{smile}",
        "{athing} used to be {bad}, now it is {good}{smile}",
        "{it} was worth {worth}{smile}",
        "{athing} works {well}{smile}",
        "everything went {well}{smile}",
        "{athing} still works after {time}{smile}",
        "what a {very}{good} {thing}{smile}",
        *("{intro}the best {thing} {ever}{smile}", "best {thing} {ever}{smile}"),
        "one of the best {thing} {ever}{smile}",
        "i {love} {it}{smile}",
        "{intro}{athing} {was} {very}{good}{smile}",
        "{athing} {was} {good} and {athing} {was} {very}{good}{smile}",
        "{very}{good} {thing} and {good} {thing}{smile}",
        "thank you for the {good} {thing}{smile}",
        "{very}{excited} about {athing}{smile}",
        "we had a {good} time {somewhere}{smile}",
        "{joy} {when}{smile}",
    ),
    "neutral": (
        "the {event} {starts} at {hour}",
        "the {event} {starts} {when}",
        "our {event} {starts} {somewhere}",
        "{whose} {event} {starts} at {hour} {when}",
        "the {place} is open from {hour} to {hour}",
        "the {place} opens at {hour} and closes at {hour}",
        "the {event} from {town} arrives at {hour}",
        "the {event} to {town} leaves from platform {count}",
        "{who} {did} a {item} {when}",
        "{who} {did} {whose} {item} {when}",
        "{who} {did} {count} {measure} {somewhere}",
        "{when} {who} {did} the {item}",
        "{who} had {dish} for {meal}",
        *("{who} {works} {somewhere}",) * 2,
        "my {relative} is {doing}",
        "{who} was {doing} {when}",
        "my {relative} is a {trade} {somewhere}",
        "a {animal} has {count} {measure}",
        "the {animal} is {somewhere}",
        "{town} is {count} kilometres from {town}",
        "{town} has {count} {place}s",
        "{count} and {count} is {count}",
        "{who} moved to {town} {when}",
        "{who} went to {town} {when}",
        "{who} went to {town} by {vehicle}",
        "{who} will call you {when}",
        "{who} will be {doing} at {hour}",
        "there is a {item} {somewhere}",
        "there are {count} {measure} {somewhere}",
        "the {item} is {somewhere}",
        "the {item} arrived {when}",
        *("the {thing} {costs}",) * 2,
        "the {product} {costs} and {costs}",
        "this {show} {costs}",
        "the {part} is {is}",
        "the {part} of the {product} is {is}",
        "it is {sky} {somewhere}",
        "{when} it will be {sky}",
        "the forecast says {sky} for {when}",
        "where is the {place}?",
        "where can i buy a {item}?",
        "what time does the {event} start?",
        "when does the {place} open?",
        "can you tell me when the {event} {starts}?",
        "could you send me the {item}?",
        "do you know where {who} {did} the {item}?",
        "does the {product} come with a {item}?",
        "has anyone tried the {place} {somewhere}?",
        "i have not {tried} the {thing} yet",
        "{who} asked about the {item}",
        "please {please} the {item} {when}",
        *("{intro}{it} was {average}", "{athing} was {average}", "{average}, {average}"),
        "{athing} is neither {good} nor {bad}",
        "{it} is not {good}, but not {bad} either",
        "not the worst {thing} {ever}, not the best",
        "{it} is not the worst {thing} {ever}",
        "{athing} can be {good} or {bad}, it depends",
        "some say {athing} is {good}, others say it is {bad}",
    ),
}


def sentences(count: int) -> list[tuple[str, str]]:
    """Generates this many different (text, label), the same in every process."""
    random = np.random.default_rng(SEED)
    choices = {name: text.split("|") for name, text in CHOICES.items()}
    made: dict[str, str] = {}
    for number in itertools.count():
        if len(made) == count:
            break
        label = LABELS[number % len(LABELS)]
        text = str(random.choice(SENTENCES[label]))
        while NAME.search(text):
            text = NAME.sub(lambda found: str(random.choice(choices[found[1]])), text)
        stop = "." if text[-1].isalnum() and random.random() < FULL_STOPS else ""
        if random.random() < HASTY:
            text = text.replace("'", "")
        made.setdefault(text.strip() + stop, label)
    return list(made.items())
